// The full-text index as SEARCH sees it: one question per command, and mails that are out of the question.
#include "proto/imap/search/search_program.hpp"

#include <limits>

namespace pp::imap {

namespace {

constexpr auto not_asked = std::numeric_limits<std::uint32_t>::max();

needle_place place_of(search_op op) {
    return op == search_op::body   ? needle_place::body
           : op == search_op::text ? needle_place::anywhere
                                   : needle_place::field;
}

}  // namespace

key_candidates::key_candidates(const search_program& program) : needle_of_key_(program.keys.size(), not_asked) {
    for (std::size_t number = 0; number < program.keys.size(); ++number) {
        const auto& key = program.keys[number];
        const bool in_text = key.op == search_op::body || key.op == search_op::text || key.op == search_op::header;
        if (!in_text || key.needle.empty() || question_.needles.size() == needles_per_question_max) continue;
        needle_of_key_[number] = static_cast<std::uint32_t>(question_.needles.size());
        question_.needles.push_back({place_of(key.op), key.name, key.needle});
    }
}

bool key_candidates::excludes(std::uint32_t key, std::uint32_t uid) const {
    const auto needle = needle_of_key_[key];
    if (needle >= answer_.mails.size() || uid >= answer_.before_uid) return false;   // not_asked is never below a size
    const auto& possible = answer_.mails[needle];
    return possible && !possible->contains(uid);
}

}  // namespace pp::imap
