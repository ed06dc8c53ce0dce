// The operations a log entry is made of. Everything that was decided (UIDs, UIDVALIDITY, modseqs, serials, times) is in
// them, so that applying them again gives the same view. apply_operation() is in storage/apply.hpp.
#pragma once

#include "storage/records.hpp"
#include "storage/error.hpp"

#include <span>
#include <variant>

namespace pp::storage {

enum class blob_place : std::uint8_t { in_segment = 1, in_file = 2 };

namespace op {

struct make_mailbox {
    mailbox_id id = 0;
    std::string name;
    special_use use = special_use::none;
    bool subscribed = true;
    std::uint32_t uid_validity = 0;
};
struct rename_mailbox {
    mailbox_id id = 0;
    std::string name;
};
struct delete_mailbox {      // with every message in it
    mailbox_id id = 0;
};
struct subscribe {           // also of names without a mailbox
    std::string name;
    bool on = true;
};
struct claim_recent {
    mailbox_id id = 0;
    std::uint32_t first_uid = 1;   // the next first recent UID
};
struct add_blob {            // the blob of a new mail: where it is and how it is opened
    std::uint64_t serial = 0;
    blob_ref ref;
    blob_place place = blob_place::in_segment;
    std::uint64_t segment = 0, offset = 0;   // of the blob's header; in_segment only
};
struct place_mail {
    message row;             // all of it
    std::array<std::byte, 16> message_id_tag{};   // keyed; zeros: no Message-ID
};
struct set_flags {           // item i of rising UIDs gets modseq first_modseq + i
    mailbox_id box = 0;
    std::uint64_t first_modseq = 0;
    std::vector<mail::flags> sets;
    struct item {
        std::uint32_t uid, set;
        bool operator==(const item&) const = default;
    };
    std::vector<item> items;
};
struct vanish {
    mailbox_id box = 0;
    std::uint64_t modseq = 0;
    mail::uid_set uids;
};
struct clear_blob {          // nothing refers to it any more: its row goes, and its file
    std::uint64_t serial = 0;
    crypto::blob_id id;
};
struct put_outbox { outbox_row row; };
struct erase_outbox { id16 id{}; };
struct put_inbound { inbound_row row; };
struct erase_inbound { id16 notification{}; };
struct mark_seen {
    crypto::account_key sender;
    id16 notification{};
};
struct put_contact { contact row; };
struct erase_contact { crypto::account_key account; };
struct put_invite { invite row; };
struct erase_invite { id16 token{}; };
struct put_password { app_password row; };
struct erase_password { id16 id{}; };
struct put_setting {
    std::string name;
    bytes value;
};
struct put_metadata {        // RFC 5464; box 0: of the account ("server" entries)
    mailbox_id box = 0;
    std::string entry;       // in lower case
    std::optional<bytes> value;   // nullopt: the entry goes
};
struct join_thread {         // RFC 8474 section 5.2; decided when the mail was added
    std::uint64_t serial = 0;
    std::uint64_t thread = 0;     // serial of the first mail of the thread
    std::vector<std::array<std::byte, 16>> tags;   // keyed, of every Message-ID the mail names; new ones lead here
};
// The two of which the first entries of a new generation are made: rows as they stood in the view.
struct restore_row {
    std::uint8_t table = 0;
    bytes key;
    std::optional<bytes> value;   // nullopt: a row that is only a key
};
struct restore_blob {             // a blob's row, with its key as add_blob has it
    std::uint64_t serial = 0;
    blob_ref ref;
    blob_place place = blob_place::in_segment;
    std::uint64_t segment = 0, offset = 0;   // segment 0: its bytes were lost already
    std::uint32_t references = 0;
};

}  // namespace op

// The index in this list plus one is the operation's number on disk: append only.
using operation =
    std::variant<op::make_mailbox, op::rename_mailbox, op::delete_mailbox, op::subscribe, op::claim_recent,
                 op::add_blob, op::place_mail, op::set_flags, op::vanish, op::clear_blob, op::put_outbox,
                 op::erase_outbox, op::put_inbound, op::erase_inbound, op::mark_seen, op::put_contact,
                 op::erase_contact, op::put_invite, op::erase_invite, op::put_password, op::erase_password,
                 op::put_setting, op::put_metadata, op::join_thread, op::restore_row, op::restore_blob>;

// Appends number, length and content.
void encode_operation(const operation& o, bytes& out);
// All operations of an entry. errc::damaged, errc::newer_format (a number this peerpost does not know).
result<std::vector<operation>> decode_operations(bytes_view in);

}  // namespace pp::storage
