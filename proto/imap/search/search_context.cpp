// RFC 5267 sections 4.3.1 to 4.3.4; RFC 5465 section 7.
#include "proto/imap/search/search_context.hpp"

#include "proto/imap/connection.hpp"
#include "proto/imap/search/search_run.hpp"
#include "proto/imap/search/sort_run.hpp"
#include "proto/imap/grammar/uid_list.hpp"

#include <algorithm>

namespace pp::imap {

namespace {

std::uint32_t shown(const connection& c, const search_context& context, std::uint32_t uid) {
    return context.uid ? uid : c.selected->numbers.number_of(uid);
}

// One data item. In mailbox order positions are 0 and all stands in one set (section 4.3.3); in a sorted result each
// mail has its place, in the order in which the client is to apply them.
struct change {
    std::uint32_t position = 0;
    std::uint32_t uid = 0;
};
std::string item_text(const connection& c, const search_context& context, std::string_view name,
                      const std::vector<change>& changes) {
    if (changes.empty()) return {};
    std::string out = ' ' + std::string(name) + " (";
    if (context.order.empty()) {
        std::vector<std::uint32_t> values;
        for (const auto& one : changes) values.push_back(shown(c, context, one.uid));
        return out + "0 " + uid_list_text(values) + ')';
    }
    for (const auto& one : changes) {
        if (out.back() != '(') out += ' ';
        out += std::to_string(one.position) + ' ' + std::to_string(shown(c, context, one.uid));
    }
    return out + ')';
}

void tell(connection& c, const search_context& context, const std::vector<change>& removed,
          const std::vector<change>& added) {
    if (removed.empty() && added.empty()) return;
    c.untagged("ESEARCH (" + tag_correlator(context.tag) + (context.uid ? ") UID" : ")") +
               item_text(c, context, "REMOVEFROM", removed) + item_text(c, context, "ADDTO", added));
}

// Takes what `gone` names out of the result. A sorted result is told from its end, so that the places before it hold.
std::vector<change> remove(search_context& context, const mail::uid_set& gone) {
    std::vector<change> removed;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < context.result.size(); ++i) {
        const auto uid = context.result[i];
        if (gone.contains(uid)) removed.push_back({static_cast<std::uint32_t>(i + 1), uid});
        else context.result[kept++] = uid;
    }
    context.result.resize(kept);
    if (!context.order.empty()) std::reverse(removed.begin(), removed.end());
    return removed;
}

mail::uid_set as_set(std::vector<std::uint32_t> uids) {
    std::sort(uids.begin(), uids.end());
    mail::uid_set set;
    for (const auto uid : uids) set.add(uid);
    return set;
}

// Puts new UIDs, which rise, at their places.
wire::task<trouble> insert(connection& c, search_context& context, const std::vector<std::uint32_t>& uids,
                           std::vector<change>& removed, std::vector<change>& added) {
    if (uids.empty()) co_return std::nullopt;
    auto all = context.result;
    all.insert(all.end(), uids.begin(), uids.end());
    std::sort(all.begin(), all.end());
    if (context.order.empty()) {
        for (const auto uid : uids) added.push_back({0, uid});
        context.result = std::move(all);
        co_return std::nullopt;
    }
    std::vector<search_hit> hits;
    for (const auto uid : all) hits.push_back({c.selected->numbers.number_of(uid), uid, 0});
    auto wrong = co_await sort_hits(c, 0, context.order, hits);
    if (wrong || c.over) co_return wrong;
    // A mail that another session has expunged has no place any more.
    std::vector<std::uint32_t> sorted;
    for (const auto& hit : hits) sorted.push_back(hit.uid);
    const auto there = as_set(sorted);
    mail::uid_set gone;
    for (const auto uid : all)
        if (!there.contains(uid)) gone.add(uid);
    for (const auto& one : remove(context, gone)) removed.push_back(one);
    const auto fresh = as_set(uids);
    for (std::size_t i = 0; i < sorted.size(); ++i)
        if (fresh.contains(sorted[i])) added.push_back({static_cast<std::uint32_t>(i + 1), sorted[i]});
    context.result = std::move(sorted);
    co_return std::nullopt;
}

wire::task<trouble> update(connection& c, search_context& context, const std::vector<search_hit>& touched,
                           const std::vector<std::uint32_t>& arrived) {
    search_run search(c, context.program, selected_scope(c));
    auto wrong = co_await search.run_among(touched);
    if (wrong || c.over) co_return wrong;
    const auto before = as_set(context.result);
    mail::uid_set now, leave;
    std::vector<std::uint32_t> enter;
    for (const auto& hit : search.hits()) {
        now.add(hit.uid);
        if (!before.contains(hit.uid)) enter.push_back(hit.uid);
    }
    for (const auto& mail : touched)
        if (before.contains(mail.uid) && !now.contains(mail.uid)) leave.add(mail.uid);
    auto removed = remove(context, leave);
    std::vector<change> added;
    wrong = co_await insert(c, context, enter, removed, added);
    if (context.program.update_items && !c.over) {
        std::vector<std::uint32_t> fresh;
        for (const auto uid : enter)
            if (std::binary_search(arrived.begin(), arrived.end(), uid)) fresh.push_back(uid);
        co_await c.tell_items(*context.program.update_items, fresh);
    }
    if (!c.over) tell(c, context, removed, added);
    co_return wrong;
}

std::size_t results_of(const std::vector<search_context>& contexts) {
    std::size_t sum = 0;
    for (const auto& context : contexts) sum += context.result.size();
    return sum;
}

void refuse_updates(connection& c, const std::string& tag, std::string_view why) {
    c.untagged("NO [NOUPDATE \"" + tag + "\"] " + std::string(why));
}

}  // namespace

bool tag_is_taken(const connection& c, const search_program& program, const std::string& tag) {
    if (!program.update) return false;
    const auto& all = c.selected->contexts;
    return std::any_of(all.begin(), all.end(), [&](const auto& one) { return one.tag == tag; });
}

bool keep_context(connection& c, const std::string& tag, bool uid, search_program program,
                  std::vector<sort_criterion> order, const std::vector<search_hit>& hits) {
    auto& all = c.selected->contexts;
    if (all.size() >= search_contexts_max || results_of(all) + hits.size() > context_results_max) {
        refuse_updates(c, tag, all.size() >= search_contexts_max ? "Too many contexts" : "Too many results");
        return false;
    }
    search_context context{tag, uid, std::move(program), std::move(order), {}};
    context.program.uses_modseq = false;   // updates carry none
    context.result.reserve(hits.size());
    for (const auto& hit : hits) context.result.push_back(hit.uid);
    all.push_back(std::move(context));
    return true;
}

void tell_contexts_of_vanished(connection& c, const mail::uid_set& vanished) {
    for (auto& context : c.selected->contexts) tell(c, context, remove(context, vanished), {});
}

wire::task<> tell_contexts_of_changes(connection& c, const mail::uid_set& touched,
                                      const std::vector<std::uint32_t>& arrived) {
    auto& contexts = c.selected->contexts;
    if (contexts.empty()) co_return;
    auto& waiting = c.selected->context_changes;
    waiting.add(touched);
    if (waiting.empty()) co_return;
    std::vector<search_hit> mails;
    for (const auto uid : c.selected->numbers.present(waiting).values())
        if (!c.selected->vanished.contains(uid)) mails.push_back({c.selected->numbers.number_of(uid), uid, 0});
    for (std::size_t i = 0; i < contexts.size(); ++i) {
        const auto wrong = co_await update(c, contexts[i], mails, arrived);
        if (c.over) co_return;
        if (wrong) co_return;   // the store is busy: the changes wait for the next time
        co_await c.drained();
    }
    waiting = {};
    while (results_of(contexts) > context_results_max) {   // the youngest goes
        refuse_updates(c, contexts.back().tag, "Too many results");
        contexts.pop_back();
    }
}

}  // namespace pp::imap
