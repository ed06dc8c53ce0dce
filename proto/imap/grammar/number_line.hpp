// The old answers that are a list of numbers: SEARCH (RFC 3501 section 7.2.5) and SORT (RFC 5256 section 4), with the
// mod-sequence of RFC 7162 sections 3.1.5 and 3.1.6.
#pragma once

#include "proto/imap/connection.hpp"
#include "proto/imap/search/search_result.hpp"

#include <string_view>

namespace pp::imap {

// "* SEARCH 2 84 882 (MODSEQ 917)", a piece at a time.
wire::task<> send_number_line(connection& c, std::string_view name, const search_program& program,
                              const std::vector<search_hit>& hits, bool uid);
// A long line that is there already, a piece at a time; without "* " and line end.
wire::task<> send_long_line(connection& c, std::string_view line);
// NO [BADCHARSET (...)]: RFC 9051 section 7.1 lets the server name some that it knows.
reply unknown_charset();

}  // namespace pp::imap
