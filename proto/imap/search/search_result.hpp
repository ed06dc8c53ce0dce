// The answers of SEARCH and SORT: the ESEARCH response (RFC 9051 section 7.3.4, RFC 4731 section 3.1, RFC 5267 sections
// 3 and 4.4, RFC 9394 section 3, RFC 7162 section 3.1.10, RFC 7377 section 2.1) and what RETURN (SAVE) keeps (RFC 9051
// section 6.4.4.1, RFC 9394 section 3.2).
#pragma once

#include "proto/imap/search/search_program.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pp::imap {

struct search_hit {
    std::uint32_t number = 0, uid = 0;
    std::uint64_t modseq = 0;             // 0: not known, not asked for
};

// The hits in the order of the result: rising numbers for SEARCH, the sort order for SORT.
struct search_answer {
    const search_program& program;
    const std::vector<search_hit>& hits;
    bool uid = false;
    std::string_view correlator;          // 'TAG "a1"', with MAILBOX and UIDVALIDITY where there are more mailboxes
};

// Without "* " and line end; nullopt when only SAVE was asked for.
std::optional<std::string> esearch_text(const search_answer& answer);
mail::uid_set saved_hits(const search_program& program, const std::vector<search_hit>& hits);
// 'TAG "a1"'. RFC 4466 section 2.6.1: a string, in IMAP4rev1 too.
std::string tag_correlator(std::string_view tag);

}  // namespace pp::imap
