// Writes the FETCH responses of one command (RFC 9051 section 7.5.2), one mail after the other. Bodies are streamed:
// at most one piece of body_piece_bytes_max is held, and the next is asked for when the last has been written.
//
// Invariant: a literal is announced only after its first piece has been read; when a later piece fails the connection
// ends, for a short literal would be taken for the mail (05-mail-protocols 5.2.6, rule 12).
#pragma once

#include "proto/imap/connection.hpp"
#include "proto/imap/fetch/fetch_items.hpp"
#include "proto/imap/fetch/fetch_transfer.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace pp::imap {

class fetch_writer {
public:
    fetch_writer(connection& c, const fetch_request& request, bool uid);

    // flags_changed: the fetch has set \Seen, the new flags are told in the same response.
    wire::task<> write(const message_row& row, bool flags_changed);
    // The same when everything that was asked for stands in a small row, without the cost of a coroutine per mail;
    // false: it does not, nothing was written. Wait for drained() after it.
    bool write_at_once(const message_row& row, bool flags_changed);

    bool stop() const { return c_.over || failed_; }
    // A mail was gone when its body was to be read.
    bool some_vanished() const { return some_vanished_; }
    // How the command ends when something could not be given: of damaged mails, behind all the others.
    const std::optional<reply>& trouble() const { return trouble_; }

private:
    enum class literal_form : std::uint8_t { text, binary };

    bool begin(const message_row& row, bool flags_changed);   // false: the row has no number here
    void end(const message_row& row, bool flags_changed);
    void begin_item(std::string_view name);
    void write_flags(const message_row& row);
    // Items that need nothing but the row; false: this one does.
    bool write_from_row(const message_row& row, const fetch_item& item, std::string_view name);
    void write_structure(const message_row& row, const fetch_item& item);
    void write_listed(const message_row& row, const fetch_item& item, std::string_view name);
    wire::task<> write_item(const message_row& row, const fetch_item& item, std::string_view name);
    wire::task<> write_section(const message_row& row, const fetch_item& item, std::string_view name);
    wire::task<> write_header(std::string_view name, std::string_view data);   // data outlives it
    wire::task<> write_binary(const message_row& row, const fetch_item& item);
    wire::task<> write_preview(const message_row& row);
    wire::task<> write_binary_size(const message_row& row, const fetch_item& item);
    wire::task<> stream(const message_row& row, std::string name, byte_range range, literal_form form);
    wire::task<> stream_decoded(const message_row& row, byte_range encoded, transfer_encoding encoding,
                                byte_range wanted);
    // Length of the decoded part up to `limit`; its bytes [wanted] in `kept` while there are few enough to hold.
    wire::task<std::optional<std::uint64_t>> decode(const message_row& row, byte_range encoded,
                                                    transfer_encoding encoding, byte_range wanted, std::string& kept);
    wire::task<std::optional<std::string>> load_header(const message_row& row, byte_range range);
    // literal_end: of imap::read_body
    wire::task<std::optional<bytes>> read_piece(const message_row& row, byte_range range, bool in_literal,
                                                std::uint64_t literal_end = 0);
    static std::uint64_t piece_of(std::uint64_t left) { return std::min<std::uint64_t>(left, body_piece_bytes_max); }
    void announce(std::string_view name, std::uint64_t size_bytes, literal_form form);   // of a literal; it is sent
    wire::task<> hand_over();        // what is in text_, when it is much: many items of one mail are not held together
    void text_item(std::string_view name, std::string_view data, literal_form form);
    void give_up(reply why);

    connection& c_;
    const fetch_request& request_;
    const bool uid_;
    std::vector<std::string> names_;   // of the items, as responses write them
    bool from_rows_;                   // every item can be written from a row
    std::string text_;               // of the response, not handed over yet
    std::uint32_t number_ = 0, row_uid_ = 0;   // of the mail being written
    bool open_ = false;              // "* n FETCH (" is in text_ or already sent
    bool sent_ = false;              // some of this response is sent: it must be completed
    bool vanished_ = false, damaged_ = false;  // the mail being written
    bool some_vanished_ = false, failed_ = false;
    std::optional<reply> trouble_;
};

}  // namespace pp::imap
