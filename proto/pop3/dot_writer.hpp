// A mail as a multi-line response (RFC 1939 section 3): a dot in front of lines that begin with one, cut anywhere. A
// line feed that stands alone becomes a line end: clients differ in what they take it for, and one that takes it for a
// line end must not see a lone dot behind it. The store's bytes are not touched; IMAP tells them as they are.
#pragma once

#include "crypto/bytes.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace pp::pop3 {

class dot_writer {
public:
    // body_lines: stop after so many lines of the body (TOP); nothing: the whole mail.
    explicit dot_writer(std::optional<std::uint32_t> body_lines = std::nullopt) : lines_left_(body_lines) {}

    void update(bytes_view in, std::string& out);
    bool done() const { return done_; }   // enough lines of the body were written
    void finish(std::string& out);        // ends the last line and the response

private:
    void line_ended(std::string& out);

    std::optional<std::uint32_t> lines_left_;
    bool in_header_ = true, done_ = false;
    bool line_empty_ = true, after_cr_ = false;
};

}  // namespace pp::pop3
