// Searches whose result is kept up to date for the client (RFC 5267 section 4.3, RETURN (UPDATE)): ESEARCH responses
// with ADDTO and REMOVEFROM follow the FETCH, EXISTS and EXPUNGE responses that are their cause. They live as long as
// the mailbox is selected, or until CANCELUPDATE.
#pragma once

#include "proto/imap/search/search_program.hpp"
#include "proto/imap/search/search_result.hpp"
#include "proto/imap/search/sort_order.hpp"
#include "proto/wire/task.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace pp::imap {

class connection;

inline constexpr std::size_t search_contexts_max = 16;         // of a session; RFC 5267 section 4.3.1: at least one
inline constexpr std::size_t context_results_max = 1'000'000;  // of all contexts of a session; four bytes each

struct search_context {
    std::string tag;
    bool uid = false;
    search_program program;                  // its numbers are frozen
    std::vector<sort_criterion> order;       // empty: of SEARCH, in mailbox order
    std::vector<std::uint32_t> result;       // UIDs in order
};

// RFC 5267 section 4.3: an updating command must not have the tag of another one.
bool tag_is_taken(const connection& c, const search_program& program, const std::string& tag);
// Keeps an updating command whose result is `hits`, or tells NOUPDATE and returns false.
bool keep_context(connection& c, const std::string& tag, bool uid, search_program program,
                  std::vector<sort_criterion> order, const std::vector<search_hit>& hits);
// Before their EXPUNGE responses.
void tell_contexts_of_vanished(connection& c, const mail::uid_set& vanished);
// After the EXISTS and FETCH responses: these are new or have changed.
// `arrived` of them are new: the items that UPDATE asks for are told of those that enter a result (RFC 5465 section 7).
wire::task<> tell_contexts_of_changes(connection& c, const mail::uid_set& touched,
                                      const std::vector<std::uint32_t>& arrived);

}  // namespace pp::imap
