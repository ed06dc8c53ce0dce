// RFC 9051 section 7.3.4: ESEARCH.
#include "proto/imap/search_result.hpp"

#include <algorithm>

namespace pp::imap {

namespace {

// RFC 7162 section 3.1.10: with MIN and MAX alone the mod-sequence is that of the mails returned, else of all found.
std::uint64_t highest_modseq(const search_program& program, const std::vector<search_hit>& hits) {
    std::uint64_t highest = 0;
    if ((program.min || program.max) && !program.all && !program.count) {
        if (program.min) highest = hits.front().modseq;
        if (program.max) highest = std::max(highest, hits.back().modseq);
        return highest;
    }
    for (const auto& hit : hits) highest = std::max(highest, hit.modseq);
    return highest;
}

}  // namespace

std::optional<std::string> esearch_text(const search_program& program, const std::vector<search_hit>& hits, bool uid,
                                        std::string_view tag) {
    const bool all = program.all || !program.has_return;
    if (!all && !program.min && !program.max && !program.count) return std::nullopt;
    std::string out = "ESEARCH (TAG \"";
    out += tag;
    out += uid ? "\") UID" : "\")";
    const auto value = [&](const search_hit& hit) { return uid ? hit.uid : hit.number; };
    if (!hits.empty() && program.min) out += " MIN " + std::to_string(value(hits.front()));
    if (!hits.empty() && program.max) out += " MAX " + std::to_string(value(hits.back()));
    if (program.count) out += " COUNT " + std::to_string(hits.size());
    if (!hits.empty() && all) {
        mail::uid_set set;
        for (const auto& hit : hits) set.add(value(hit));
        out += " ALL " + set.text();
    }
    if (!hits.empty() && program.uses_modseq) out += " MODSEQ " + std::to_string(highest_modseq(program, hits));
    return out;
}

// RFC 9051 section 6.4.4.1: with MIN or MAX, and neither ALL nor COUNT, only those are saved.
mail::uid_set saved_hits(const search_program& program, const std::vector<search_hit>& hits) {
    mail::uid_set saved;
    if (hits.empty()) return saved;
    if ((program.min || program.max) && !program.all && !program.count) {
        if (program.min) saved.add(hits.front().uid);
        if (program.max) saved.add(hits.back().uid);
        return saved;
    }
    for (const auto& hit : hits) saved.add(hit.uid);
    return saved;
}

}  // namespace pp::imap
