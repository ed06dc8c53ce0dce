// RFC 9051 section 7.3.4: ESEARCH.
#include "proto/imap/search/search_result.hpp"

#include "proto/imap/grammar/uid_list.hpp"

#include <algorithm>

namespace pp::imap {

namespace {

// RFC 7162 section 3.1.10: with MIN and MAX alone the mod-sequence is that of the mails returned, else of all found.
std::uint64_t highest_modseq(const search_program& program, const std::vector<search_hit>& hits) {
    std::uint64_t highest = 0;
    if ((program.min || program.max) && !program.all && !program.count && !program.partial) {
        if (program.min) highest = hits.front().modseq;
        if (program.max) highest = std::max(highest, hits.back().modseq);
        return highest;
    }
    for (const auto& hit : hits) highest = std::max(highest, hit.modseq);
    return highest;
}

std::string set_text(const search_answer& answer, std::size_t first, std::size_t last) {
    std::vector<std::uint32_t> values;
    values.reserve(last - first);
    for (auto i = first; i < last; ++i) values.push_back(answer.uid ? answer.hits[i].uid : answer.hits[i].number);
    // RFC 9394 section 3.1: the results of a search are in mailbox order, also when counted from the end. RFC 5267
    // section 3.2: a sorted result has ranges only where numbers rise by one. The list does both.
    return uid_list_text(values);
}

}  // namespace

std::string tag_correlator(std::string_view tag) { return "TAG \"" + std::string(tag) + '"'; }

std::optional<std::string> esearch_text(const search_answer& answer) {
    const auto& [program, hits, uid, correlator] = answer;
    const bool all = program.all || !program.has_return;
    if (!all && !program.min && !program.max && !program.count && !program.partial && !program.update)
        return std::nullopt;
    std::string out = "ESEARCH (" + std::string(correlator) + (uid ? ") UID" : ")");
    const auto value = [uid = answer.uid](const search_hit& hit) { return std::to_string(uid ? hit.uid : hit.number); };
    if (!hits.empty() && program.min) out += " MIN " + value(hits.front());
    if (!hits.empty() && program.max) out += " MAX " + value(hits.back());
    if (program.count) out += " COUNT " + std::to_string(hits.size());
    if (!hits.empty() && all) out += " ALL " + set_text(answer, 0, hits.size());
    if (program.partial) {
        const auto [first, last] = program.partial->of(hits.size());
        out += " PARTIAL (" + program.partial->text() + ' ' + (first < last ? set_text(answer, first, last) : "NIL") +
               ')';
    }
    if (!hits.empty() && program.uses_modseq) out += " MODSEQ " + std::to_string(highest_modseq(program, hits));
    return out;
}

// RFC 9051 section 6.4.4.1: with MIN or MAX, and neither ALL nor COUNT, only those are saved. RFC 9394 section 3.2: a
// PARTIAL without COUNT saves its part, and MIN and MAX with it.
mail::uid_set saved_hits(const search_program& program, const std::vector<search_hit>& hits) {
    std::vector<std::uint32_t> kept;
    if (hits.empty()) return {};
    const bool ends = (program.min || program.max) && !program.all;
    if (program.count || (!ends && !program.partial)) {
        for (const auto& hit : hits) kept.push_back(hit.uid);
    } else {
        if (program.partial) {
            const auto [first, last] = program.partial->of(hits.size());
            for (auto i = first; i < last; ++i) kept.push_back(hits[i].uid);
        }
        if (program.min) kept.push_back(hits.front().uid);
        if (program.max) kept.push_back(hits.back().uid);
    }
    std::sort(kept.begin(), kept.end());   // a set takes rising numbers quickly
    mail::uid_set saved;
    for (const auto uid : kept) saved.add(uid);
    return saved;
}

}  // namespace pp::imap
