// Delivery status notifications (RFC 3461, 3464, 6522, 6533): when the sender is told what has become of a mail, and
// the mail that tells it. Pure; the courier files it in INBOX in the same write that changes the row.
#pragma once

#include "crypto/bytes.hpp"
#include "daemon/engine/delivery_times.hpp"
#include "storage/records.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pp::engine {

// Of the mail a report returns its header, and with RET=FULL the whole, up to these sizes: it is in Sent as well.
inline constexpr std::size_t returned_header_bytes_max = 64 * 1024;
inline constexpr std::uint64_t returned_mail_bytes_max = 1024 * 1024;

enum class report_kind : std::uint8_t { delayed, failed, delivered };

// The report that is due when `before` becomes `after` (RFC 3461 section 4.1): without NOTIFY, of failure.
std::optional<report_kind> report_due(const storage::outbox_row& before, const storage::outbox_row& after);
// The row with its delay told, when it has waited for so long and the sender wants to know; else nothing.
std::optional<storage::outbox_row> delay_noticed(storage::outbox_row row, storage::unix_ms now,
                                                 const delivery_times& times = {});
// Whether the report returns the whole mail (RFC 3461 section 4.3: of failures only) or its header.
bool returns_whole_mail(report_kind kind, const storage::outbox_row& row, std::uint64_t mail_bytes);

// The header block out of the beginning of a mail, without the blank line; cut behind a whole line when its end is not
// there.
std::string_view header_of(std::string_view beginning);

struct delivery_report {
    report_kind kind = report_kind::failed;
    // As they are afterwards, of one mail, at least one. More than one where all are delayed: what becomes of a mail
    // at each of its recipients, or does not, is told of each by itself.
    std::vector<storage::outbox_row> rows;
    std::string domain;                // of the account: "<label>.peerpost.alt"
    std::string address, name;         // of the account; the name may be empty
    bytes returned;                    // the mail, or its header block
    bool whole_mail = false;
    storage::unix_ms now = 0;
    delivery_times times;
    std::array<std::byte, 16> dice{};  // random: makes boundary and Message-ID
};
// RFC 3464 in RFC 6522. Lines with CRLF, apart from what is returned, which is not changed by one byte.
bytes report_mail(const delivery_report& r);

}  // namespace pp::engine
