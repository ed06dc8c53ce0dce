// The order of SORT (RFC 5256 section 3, RFC 5957): its criteria, the values they compare, and the sorting.
#pragma once

#include "proto/imap/grammar/parser.hpp"
#include "proto/imap/search/search_fields.hpp"
#include "proto/imap/search/search_result.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace pp::imap {

// Each key once in each direction says all that criteria can say.
inline constexpr std::size_t sort_criteria_max = 18;
// Mails of one SORT or THREAD. Their values lie in memory together: about 100 bytes for each.
// RFC 5530 section 3, LIMIT.
inline constexpr std::size_t sorted_mails_max = 500'000;

enum class sort_key : std::uint8_t { arrival, cc, date, from, size, subject, to, display_from, display_to };
struct sort_criterion {
    sort_key key = sort_key::arrival;
    bool reverse = false;
};

// "(SUBJECT REVERSE DATE)".
std::vector<sort_criterion> parse_sort_criteria(parser& args);

// RFC 5256 section 2.2: the Date field in UTC, INTERNALDATE when it cannot be understood. Seconds since 1970.
std::int64_t sent_date(const search_fields& fields);

// Takes the mails in any order, gives them sorted; equal ones by number.
class sorter {
public:
    explicit sorter(const std::vector<sort_criterion>& order) : order_(order) {}
    void add(const search_hit& mail, const search_fields& fields);
    std::size_t bytes() const { return text_.size(); }
    std::vector<search_hit> sorted();

private:
    struct value {
        std::int64_t number = 0;      // or where the text begins
        std::uint32_t size = 0;       // of the text
    };
    int compare(std::size_t a, std::size_t b) const;

    const std::vector<sort_criterion>& order_;
    std::vector<search_hit> mails_;
    std::vector<value> values_;       // of mail n: n * order_.size() and on
    std::string text_;
};

}  // namespace pp::imap
