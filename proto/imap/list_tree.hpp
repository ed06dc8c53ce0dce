// The names of an account as LIST and LSUB tell them: with the parents they imply, each once, before what is below it,
// INBOX before all others (RFC 9051 section 6.3.9).
//
// Subscriptions may name mailboxes that are not there (RFC 9051 section 6.3.7): ten thousand of them, each below sixty
// parents of its own. So implied names are never held: what is to be told of them, one byte, stands with the first
// name below each of them.
#pragma once

#include "proto/imap/events.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pp::imap {

class list_tree {
public:
    explicit list_tree(std::vector<mailbox_entry> entries);
    std::size_t size() const { return rows_.size(); }
    const mailbox_entry& entry(std::size_t i) const { return rows_[i].entry; }

    // What is true of a name, all names above it are told.
    enum fact : std::uint8_t { exists = 1, chosen = 2, untold = 4 };
    // For each entry once, from the last to the first.
    void tell_parents(std::size_t i, std::uint8_t facts);

    struct node {
        mailbox_entry entry;            // of an implied name: no mailbox, not there
        std::uint8_t below = 0;         // facts of names below it
    };
    std::optional<node> next();         // when all parents have been told

private:
    struct row {
        mailbox_entry entry;
        std::size_t shared = 0;         // levels of its name that the name before it has too
        std::string below;              // a byte for each further level
    };
    node node_at(const row& at, std::size_t level) const;

    std::vector<row> rows_;             // a name right before those below it
    std::string open_;                  // facts below each level of the name told last
    std::size_t inbox_;                 // the row in which INBOX is first named
    std::size_t row_ = 0, level_ = 0;   // of the next node
    bool inbox_told_ = false;
};

}  // namespace pp::imap
