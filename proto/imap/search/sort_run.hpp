// Sorting what a search has found: reads the search fields of the hits and puts them in order.
#pragma once

#include "proto/imap/search/search_run.hpp"
#include "proto/imap/search/sort_order.hpp"

namespace pp::imap {

// `hits` rise; afterwards they are in order, without those that are gone. NO [LIMIT] beyond sorted_mails_max or
// sorted_text_bytes_max.
inline constexpr std::size_t sorted_text_bytes_max = 48 * 1024 * 1024;
wire::task<trouble> sort_hits(connection& c, std::uint64_t mailbox, const std::vector<sort_criterion>& order,
                              std::vector<search_hit>& hits);

}  // namespace pp::imap
