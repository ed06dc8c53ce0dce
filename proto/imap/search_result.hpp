// The answers of SEARCH: the ESEARCH response (RFC 9051 section 7.3.4, RFC 4731 section 3.1, RFC 7162 section 3.1.10) and
// the old SEARCH response (RFC 3501 section 7.2.5). Also what RETURN (SAVE) keeps (RFC 9051 section 6.4.4.1).
#pragma once

#include "proto/imap/search_program.hpp"

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

// Without "* " and line end; nullopt when only SAVE was asked for. hits rise.
std::optional<std::string> esearch_text(const search_program& program, const std::vector<search_hit>& hits, bool uid,
                                        std::string_view tag);
mail::uid_set saved_hits(const search_program& program, const std::vector<search_hit>& hits);

}  // namespace pp::imap
