// What the server offers at this moment (RFC 9051 section 7.2.2, RFC 7889 for APPENDLIMIT).
#pragma once

#include <string>

namespace pp::imap {

class connection;

// "IMAP4rev1 IMAP4rev2 ...". Before login only what helps to log in.
std::string capability_text(const connection& c);

}  // namespace pp::imap
