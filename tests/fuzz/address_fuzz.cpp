// Addresses, dates, number sets, keywords: what is accepted is written in a form that is accepted again and means the
// same.
#include "proto/mail/address.hpp"
#include "proto/mail/date.hpp"
#include "proto/mail/flags.hpp"
#include "proto/mail/uid_set.hpp"

#include <cstdint>
#include <cstdlib>

namespace {

void demand(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace pp::mail;
    const std::string_view text(reinterpret_cast<const char*>(data), size);

    if (const auto parsed = parse_address(text)) {
        demand(parsed->local.size() <= local_part_bytes_max && parsed->domain.size() <= domain_bytes_max);
        demand(parsed->text().find_first_of("\r\n") == std::string::npos);
        const auto again = parse_address(parsed->text());
        // Quoting what was sent unquoted may make it longer than a local part may be; nothing else may fail.
        demand(again ? *again == *parsed : parsed->text().size() > local_part_bytes_max);
    }

    std::size_t groups = 0;
    for (const auto& a : parse_address_list(text)) {
        if (a.host) {
            demand(a.mailbox.has_value());
        } else if (a.mailbox) {
            demand(++groups == 1);   // groups do not nest
        } else {
            demand(groups-- == 1);
        }
    }
    demand(groups == 0);

    // By their text: the first and the last days of four-digit years are moved to what can be written in any zone.
    if (const auto at = parse_header_date(text)) {
        const auto written = header_date(*at);
        demand(header_date(parse_header_date(written).value()) == written);
    }
    if (const auto at = parse_internal_date(text)) {
        const auto written = internal_date(*at);
        demand(internal_date(parse_internal_date(written).value()) == written);
    }
    if (const auto day = parse_search_date(text)) demand(*day >= -719162 && *day <= 2932896);
    if (const auto set = parse_uid_set(text, 1000)) {
        demand(set->empty() ? set->text().empty() : parse_uid_set(set->text(), 0).value() == *set);
        for (std::size_t i = 1; i < set->ranges().size(); ++i)
            demand(set->ranges()[i].first > std::uint64_t{set->ranges()[i - 1].last} + 1);
    }
    if (is_keyword(text)) demand(text.find_first_of("\r\n ()\\\"") == text.npos);
    return 0;
}
