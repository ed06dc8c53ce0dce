// Headers from anybody, threaded and sorted (RFC 5256). The input is cut at bytes 0xff into headers of mails. Asserted:
// each algorithm answers every mail exactly once in balanced brackets, and the same again for the same mails; a base
// subject is its own base subject; sorting is a permutation and REVERSE its mirror;
// a partial range lies within its result.
#include "proto/imap/search/base_subject.hpp"
#include "proto/imap/search/message_ids.hpp"
#include "proto/imap/grammar/partial_range.hpp"
#include "proto/imap/search/sort_order.hpp"
#include "proto/imap/search/threading.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

using namespace pp;
using namespace pp::imap;

namespace {

void demand(bool holds) {
    if (!holds) std::abort();
}

constexpr std::size_t mails_max = 64;

using mails = std::vector<std::shared_ptr<const search_fields>>;

std::string threads(thread_algorithm how, const mails& all) {
    threader t(how);
    for (std::size_t i = 0; i < all.size(); ++i) demand(t.add(static_cast<std::uint32_t>(i + 1), *all[i]));
    return t.text();
}

void check_threads(thread_algorithm how, const mails& all) {
    const auto text = threads(how, all);
    demand(text == threads(how, all));
    std::vector<int> seen(all.size() + 1, 0);
    int depth = 0;
    for (std::size_t i = 0; i < text.size();) {
        if (text[i] >= '0' && text[i] <= '9') {
            std::size_t number = 0;
            for (; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i)
                number = number * 10 + static_cast<std::size_t>(text[i] - '0');
            demand(number >= 1 && number <= all.size() && ++seen[number] == 1 && depth > 0);
            continue;
        }
        if (text[i] == '(') ++depth;
        else if (text[i] == ')') --depth;
        else demand(text[i] == ' ');
        demand(depth >= 0 && text.find("()") == text.npos);
        ++i;
    }
    demand(depth == 0);
    demand(std::count(seen.begin() + 1, seen.end(), 1) == static_cast<std::ptrdiff_t>(all.size()));
}

std::vector<std::uint32_t> sorted(std::string_view criteria, const mails& all) {
    parser args(criteria);
    const auto order = parse_sort_criteria(args);
    demand(!args.failed());
    sorter s(order);
    for (std::uint32_t i = 0; i < all.size(); ++i) s.add({i + 1, i + 1, 0}, *all[i]);
    std::vector<std::uint32_t> out;
    for (const auto& hit : s.sorted()) out.push_back(hit.number);
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const auto base = base_subject_of(input);
    demand(base_subject_of(base.text).text == base.text);
    demand(base.text.size() <= input.size());
    for (const auto& id : message_ids(input)) demand(id.size() < input.size() && id.find('@') != id.npos);

    parser args(input);
    if (const auto range = parse_partial_range(args); !args.failed())
        for (const std::size_t count : {0u, 1u, 7u, 1000u}) {
            const auto [first, last] = range.of(count);
            demand(first <= last && last <= count && last - first <= range.last - range.first + 1);
        }

    mails all;
    for (std::size_t from = 0; from <= input.size() && all.size() < mails_max;) {
        const auto end = std::min(input.find('\xff', from), input.size());
        const auto number = static_cast<std::int64_t>(all.size());
        all.push_back(search_fields::of(mail::index_message(input.substr(from, end - from)), {{number % 5, 0}, {}, 7}));
        from = end + 1;
    }
    for (const auto how : {thread_algorithm::ordered_subject, thread_algorithm::references, thread_algorithm::refs})
        check_threads(how, all);
    auto forwards = sorted("(SUBJECT FROM TO CC DISPLAYFROM DISPLAYTO DATE ARRIVAL SIZE)", all);
    demand(forwards == sorted("(SUBJECT FROM TO CC DISPLAYFROM DISPLAYTO DATE ARRIVAL SIZE)", all));
    std::sort(forwards.begin(), forwards.end());
    for (std::uint32_t i = 0; i < all.size(); ++i) demand(forwards[i] == i + 1);
    return 0;
}
