// The entries of METADATA (RFC 5464) as GETMETADATA, SETMETADATA and LIST RETURN (METADATA ...) (RFC 9590) write them.
#pragma once

#include "proto/imap/events.hpp"
#include "proto/imap/grammar/parser.hpp"

#include <string>
#include <vector>

namespace pp::imap {

// RFC 5464 section 3.1: ASCII, below /private or /shared, no "*", "%", "//", control character, "/" at the end. In
// lower case: names have no case.
std::string metadata_name(parser& args);
std::vector<std::string> metadata_names(parser& args);   // one, or several in parentheses

// "/private/comment" {5}CRLF..., values as string or literal8; nullopt: NIL.
std::string metadata_pair(const metadata_entry& entry);

}  // namespace pp::imap
