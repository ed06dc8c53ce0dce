// filter-mailboxes (RFC 5465 section 6, with "subtree-one" of RFC 7377 section 2.2): which mailboxes a command means.
#pragma once

#include "proto/imap/events.hpp"
#include "proto/imap/grammar/parser.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace pp::imap {

struct mailbox_filter {
    enum class kind : std::uint8_t {
        selected,
        selected_delayed,
        inboxes,
        personal,
        subscribed,
        subtree,
        subtree_one,
        mailboxes
    };
    kind what = kind::personal;
    std::vector<std::string> names;      // of subtree, subtree_one and mailboxes; UTF-8

    // Never of `selected` and `selected_delayed`, which name no mailbox by themselves, nor of one that does not exist.
    bool covers(const mailbox_entry& mailbox) const;
};

// One of them. utf8: see parser::mailbox().
mailbox_filter parse_mailbox_filter(parser& args, bool utf8);

}  // namespace pp::imap
