// The algorithms of THREAD: ORDEREDSUBJECT and REFERENCES (RFC 5256 section 3), REFS (draft-ietf-morg-inthread-01: as
// REFERENCES, without looking at subjects, the threads in the order of their newest mails). Pure: mails in, text out.
#pragma once

#include "proto/imap/search/search_fields.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pp::imap {

enum class thread_algorithm : std::uint8_t { ordered_subject, references, refs };

// References of all mails of one THREAD together; each takes about 100 bytes. RFC 5530 section 3, LIMIT.
inline constexpr std::size_t thread_ids_max = 1'000'000;
inline constexpr std::size_t thread_text_bytes_max = 48 * 1024 * 1024;   // of their IDs and subjects
// Steps up the tree to find loops. Mails that come before what they answer, each naming the next, take more; the links
// beyond are not made.
inline constexpr std::uint64_t thread_loop_steps_max = 50'000'000;

class threader {
public:
    explicit threader(thread_algorithm how) : how_(how) {}
    // In the order of the mailbox; `shown` is the number or UID the answer has. False: the limits are reached.
    bool add(std::uint32_t shown, const search_fields& fields);
    // When all mails are there: a part of the work of text(), so that others have a turn between two. Looks at about so
    // many nodes; false when nothing is left.
    bool prepare(std::size_t nodes);
    // "(2)(3 6 (4 23)(44 7 96))"; empty for no mails. Once.
    std::string text();

private:
    struct node {                              // a mail, or a dummy for one that is only referred to
        std::int32_t parent = -1;
        std::uint32_t mail = no_mail;
        bool has_children = false;
    };
    struct mail {
        std::uint32_t shown = 0;
        bool is_reply = false;
        std::int64_t sent = 0;
        std::uint32_t subject = 0;             // equal numbers: equal base subjects; 0: empty
    };
    static constexpr std::uint32_t no_mail = ~std::uint32_t{0};
    struct tree;

    std::uint32_t node_of(std::string_view id);
    void link_references(std::uint32_t mail_number, const search_fields& fields);
    bool would_loop(std::uint32_t parent, std::uint32_t child);
    bool comes_before(std::uint32_t a, std::uint32_t b) const;   // mails: by sent date, then mailbox order

    std::string ordered_subject_text() const;
    tree prune();
    void merge_subjects(tree& t) const;

    const thread_algorithm how_;
    std::vector<mail> mails_;
    std::vector<node> nodes_;
    std::map<std::string, std::uint32_t, std::less<>> ids_, subjects_;
    std::size_t text_bytes_ = 0;
    std::uint64_t loop_steps_ = 0;
    // Of each node, seen from below: the nearest mail's node at or above it, else the topmost dummy; as far as
    // prepare() has come.
    std::vector<std::int32_t> anchors_;
    std::size_t anchored_ = 0;
};

}  // namespace pp::imap
