// What the rows of the view mean: their keys and their plaintexts (storage/FORMAT.md, "View"). Loads and stores one row
// at a time; storage/apply.cpp changes them, storage/queries.cpp answers from them.
#pragma once

#include "storage/operation.hpp"
#include "storage/table.hpp"

namespace pp::storage {

struct folder_row {
    mailbox box;
    std::uint32_t first_unseen_hint = 1;   // no message with a smaller UID is unseen
    std::uint64_t vanish_rows = 0;
};

struct keyword_table {                     // of one mailbox; messages name keywords by their place in it
    struct slot {
        std::string name;
        std::uint32_t uses = 0;
    };
    std::vector<slot> slots;
    bool changed = false;
    result<std::uint32_t> take(std::string_view name);   // one use more; errc::limit
    void release(std::uint32_t number);
};

struct message_row {
    message m;                             // m.flags.keywords is filled by resolve()
    std::array<std::byte, 16> message_id_tag{};
    std::vector<std::uint32_t> keywords;   // numbers
    void resolve(const keyword_table& names);
};

struct blob_row {
    crypto::blob_id id;
    bytes wrapped_key;                     // sealed with the shred key
    std::uint64_t plain_bytes = 0, cipher_bytes = 0;
    blob_place place = blob_place::in_segment;
    std::uint64_t segment = 0, offset = 0;
    std::uint32_t references = 0;          // placements and outbox rows that hold it
};

struct counters {
    std::uint64_t next_serial = 1;
    std::uint32_t uid_validity = 0;        // the greatest ever given
    std::uint64_t blob_bytes = 0;
    std::uint64_t seen_first = 0, seen_next = 0;
    bool indexes_missing = false;          // a rebuild was cut short: some mails have no index row yet
};

// Bytes of the rows, for the view and for the fuzzer.
bytes encode_row(const folder_row& f);
bytes encode_row(const keyword_table& k);
bytes encode_row(const message_row& m);
bytes encode_row(const blob_row& b);
bytes encode_row(const counters& c);
result<folder_row> decode_folder(bytes_view in);
result<keyword_table> decode_keywords(bytes_view in);
result<message_row> decode_message(bytes_view in);   // box and uid come from the key
result<blob_row> decode_blob(bytes_view in);
result<counters> decode_counters(bytes_view in);

namespace view {

// Keys of table meta; 0 is the identity row.
inline constexpr std::uint8_t applied_key = 1, counters_key = 2, text_directory_key = 3;

row_name folder_key(mailbox_id id);
row_name message_key(mailbox_id id, std::uint32_t uid);
row_name mod_key(mailbox_id id, std::uint64_t modseq, std::uint32_t uid);
row_name vanish_key(mailbox_id id, std::uint64_t modseq);
row_name serial_key(std::uint64_t serial);
row_name listed_key(std::uint64_t serial);                    // in `env`, behind the mail's index
row_name structure_key(std::uint64_t serial);                 // in `env`, behind both
row_name name_key(const rows& r, table t, bytes_view name);   // keyed hash
// Prefix of a mailbox's rows with this Message-ID; the UID follows.
row_name message_id_prefix(const rows& r, mailbox_id id, const std::array<std::byte, 16>& tag);
row_name seen_key(const rows& r, const crypto::account_key& sender, const id16& notification);
std::array<std::byte, 16> message_id_tag(const view_keys& keys, std::string_view message_id);   // zeros for none
row_name metadata_key(const rows& r, mailbox_id box, std::string_view entry);

// The index of a mail, what FETCH BODYSTRUCTURE says of it, and, when they are known, the lines of its listed header
// fields (mail::is_listed_field).
result<void> store_index(rows& r, std::uint64_t serial, std::string_view index,
                         const std::optional<std::string>& listed);
result<void> erase_index(rows& r, std::uint64_t serial);

result<std::optional<folder_row>> load_folder(const rows& r, mailbox_id id);
result<void> store_folder(rows& r, const folder_row& f);
result<std::optional<mailbox_id>> folder_by_name(const rows& r, std::string_view name);
result<keyword_table> load_keywords(const rows& r, mailbox_id id);
result<void> store_keywords(rows& r, mailbox_id id, keyword_table& k);   // when changed
result<std::optional<message_row>> load_message(const rows& r, mailbox_id id, std::uint32_t uid);
result<void> store_message(rows& r, const message_row& m);
result<std::optional<blob_row>> load_blob(const rows& r, std::uint64_t serial);
result<void> store_blob(rows& r, std::uint64_t serial, const blob_row& b);
result<std::optional<std::uint64_t>> serial_of(const rows& r, const crypto::blob_id& id);
// The thread a Message-ID leads to, and the one a mail is in (itself, when it began one).
result<std::optional<std::uint64_t>> thread_by_tag(const rows& r, const std::array<std::byte, 16>& tag);
result<std::uint64_t> thread_of(const rows& r, std::uint64_t serial);
result<counters> load_counters(const rows& r);
result<void> store_counters(rows& r, const counters& c);
result<std::optional<bytes>> load_applied(const rows& r);
result<void> store_applied(rows& r, bytes_view position);
result<std::optional<bytes>> load_text_directory(const rows& r);   // storage/text_segment.hpp
result<void> store_text_directory(rows& r, bytes_view directory);
row_name doc_key(std::uint64_t serial, mailbox_id box, std::uint32_t uid);   // where a mail lies
row_name text_page_key(std::uint32_t segment, std::uint32_t page);

bool holds_blob(const outbox_row& o);
result<std::optional<outbox_row>> load_outbox(const rows& r, const id16& id);
// Writes `after` in the place of `before`, and what leads to it; nullopt: there was none, or none is left.
result<void> change_outbox(rows& r, const std::optional<outbox_row>& before, const std::optional<outbox_row>& after);
row_name outbox_key(const outbox_row& o);
// Keys of table `out_ref`, which lead to a row by something other than its id; the id follows. Only open rows are found
// by their recipient.
row_name outbox_by_notification(const rows& r, const id16& notification);
row_name outbox_by_mail(std::uint64_t serial);
row_name outbox_by_recipient(const rows& r, const crypto::account_key& account);
std::vector<row_name> outbox_refs(const rows& r, const outbox_row& o);

}  // namespace view

}  // namespace pp::storage
