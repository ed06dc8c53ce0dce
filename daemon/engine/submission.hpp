// What a submitted mail must be before it is taken (RFC 6409 section 6.1, RFC 5322 section 3.6, 01-product 1.5): its
// author is the account that logged in, and Bcc is seen by nobody. Who receives a mail looks at its author once more:
// the sender's node may be anything.
#pragma once

#include "crypto/keys.hpp"
#include "proto/smtp/server_session.hpp"
#include "storage/records.hpp"

#include <optional>
#include <string>

namespace pp::engine {

inline constexpr std::size_t from_addresses_max = 100;             // more authors than a mail has
inline constexpr std::size_t author_field_bytes_max = 64 * 1024;   // parsed whole or refused: nothing goes unchecked
inline constexpr std::size_t message_id_bytes_max = 998;           // RFC 5322 section 2.1.1

// MAIL FROM: null, or an address of the account. 550 5.7.1 else.
std::optional<smtp::reply> refuse_sender(const smtp::mail_from& given, const crypto::account_key& account);

// RCPT TO somebody the user has blocked, whose answer would be refused: 550 5.7.1 with the command that lifts the
// block. of: the account that writes, as the command names it; empty: the one that is meant without a name.
std::optional<smtp::reply> refuse_recipient(const std::optional<storage::contact>& known, std::string_view of);

// Several addresses of one account are one recipient: what the sender asked to be told of either of them (RFC 3461
// section 4.1).
smtp::dsn_notify told_of_either(const smtp::dsn_notify& a, const smtp::dsn_notify& b);

// A filter the mail's bytes pass through as they come. It holds the header block back until it has seen its end (at
// most mail::header_block_bytes_max), checks it, takes Bcc and Resent-Bcc out of it, and lets everything else through
// byte for byte.
class submission_filter {
public:
    explicit submission_filter(const crypto::account_key& account) : account_(account) {}

    // Appends to `out` what is good to keep. A reply means: the mail is refused; nothing more may be given.
    //   552 5.3.4 header too large   550 5.6.0 no From, or fields that cannot be read   550 5.7.1 not this account's
    [[nodiscard]] std::optional<smtp::reply> update(bytes_view in, bytes& out);
    // The mail is over; one without a body is judged only here.
    [[nodiscard]] std::optional<smtp::reply> finish(bytes& out);

    // The header has been judged, and was good.
    bool is_in_body() const { return in_body_; }
    // Of the header, with its < and >; empty when there is none that makes sense. Valid once the body has begun.
    const std::string& message_id() const { return message_id_; }
    // The mail it answers, in the same way.
    const std::string& in_reply_to() const { return in_reply_to_; }

private:
    std::optional<smtp::reply> judge_header(std::string_view block, bytes& out);

    crypto::account_key account_;
    bool in_body_ = false;
    std::size_t searched_ = 0;   // of held_, known to hold no end of the header
    bytes held_;
    std::string message_id_, in_reply_to_;
};

// For a mail that comes in, of `sender`: its author must be who would have been taken at submission. Give it the mail
// from its beginning; false: it says that somebody else has written it, or is such that readers may differ about who.
class author_check {
public:
    explicit author_check(const crypto::account_key& sender) : filter_(sender) {}
    [[nodiscard]] bool update(bytes_view piece);
    [[nodiscard]] bool finish();

private:
    submission_filter filter_;
    bytes passed_;               // of no use here
};

}  // namespace pp::engine
