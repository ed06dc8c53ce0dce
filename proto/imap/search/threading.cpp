// RFC 5256 section 3, BASE.6.4.THREAD; the numbers are those of the steps there. Nothing recurses: the depth of a
// thread is in the hands of whoever writes References fields.
#include "proto/imap/search/threading.hpp"

#include "proto/imap/search/message_ids.hpp"
#include "proto/imap/search/sort_order.hpp"

#include <algorithm>
#include <numeric>

namespace pp::imap {

// The tree after step 3: mails and, directly under the root only, dummies. Members below mails.size() are mails, the
// others dummies.
struct threader::tree {
    std::vector<std::vector<std::uint32_t>> children;
    std::vector<std::uint32_t> roots;
    std::uint32_t mails = 0;

    bool is_dummy(std::uint32_t member) const { return member >= mails; }
    std::uint32_t add_dummy() {
        children.emplace_back();
        return static_cast<std::uint32_t>(children.size() - 1);
    }
    // A dummy stands for its first child; its children are sorted by then.
    std::uint32_t first_mail(std::uint32_t member) const {
        return is_dummy(member) ? children[member].front() : member;
    }
};

bool threader::comes_before(std::uint32_t a, std::uint32_t b) const {
    return mails_[a].sent != mails_[b].sent ? mails_[a].sent < mails_[b].sent : a < b;
}

bool threader::add(std::uint32_t shown, const search_fields& fields) {
    mail one;
    one.shown = shown;
    one.is_reply = fields.is_reply;
    one.sent = sent_date(fields);
    const auto subject = fields[search_field::base_subject];
    if (!subject.empty() && how_ != thread_algorithm::refs) {
        auto known = subjects_.find(subject);
        if (known == subjects_.end()) {
            text_bytes_ += subject.size();
            known = subjects_.emplace(subject, static_cast<std::uint32_t>(subjects_.size() + 1)).first;
        }
        one.subject = known->second;
    }
    mails_.push_back(one);
    if (how_ != thread_algorithm::ordered_subject)
        link_references(static_cast<std::uint32_t>(mails_.size() - 1), fields);
    return nodes_.size() <= thread_ids_max && text_bytes_ <= thread_text_bytes_max;
}

std::uint32_t threader::node_of(std::string_view id) {
    if (const auto known = ids_.find(id); known != ids_.end()) return known->second;
    const auto made = static_cast<std::uint32_t>(nodes_.size());
    nodes_.emplace_back();
    ids_.emplace(id, made);
    text_bytes_ += id.size();
    return made;
}

bool threader::would_loop(std::uint32_t parent, std::uint32_t child) {
    if (parent == child) return true;
    if (!nodes_[child].has_children) return false;   // nothing descends from it
    for (auto at = static_cast<std::int32_t>(parent); at >= 0; at = nodes_[static_cast<std::size_t>(at)].parent)
        if (at == static_cast<std::int32_t>(child) || ++loop_steps_ > thread_loop_steps_max) return true;
    return false;
}

// Step 1.
void threader::link_references(std::uint32_t mail_number, const search_fields& fields) {
    const auto own = message_ids(fields[search_field::message_id], 1);
    auto references = reference_ids(fields[search_field::references]);
    if (references.empty()) references = message_ids(fields[search_field::in_reply_to], 1);

    // 1.A: adjacent references are parent and child, unless something better is known.
    std::int32_t last = -1;
    for (const auto& id : references) {
        const auto next = node_of(id);
        if (last >= 0 && nodes_[next].parent < 0 && !would_loop(static_cast<std::uint32_t>(last), next)) {
            nodes_[next].parent = last;
            nodes_[static_cast<std::size_t>(last)].has_children = true;
        }
        last = static_cast<std::int32_t>(next);
    }
    // An ID that another mail has already, or none: the mail gets one of its own.
    std::uint32_t me = 0;
    if (!own.empty()) me = node_of(own.front());
    if (own.empty() || nodes_[me].mail != no_mail) {
        me = static_cast<std::uint32_t>(nodes_.size());
        nodes_.emplace_back();
    }
    nodes_[me].mail = mail_number;
    // 1.B: what the mail itself says of its parent counts more than what others have said.
    nodes_[me].parent = -1;
    if (last >= 0 && !would_loop(static_cast<std::uint32_t>(last), me)) {
        nodes_[me].parent = last;
        nodes_[static_cast<std::size_t>(last)].has_children = true;
    }
}

bool threader::prepare(std::size_t nodes) {
    constexpr std::int32_t open = -2, none = -1;
    if (anchors_.empty()) {
        anchors_.resize(nodes_.size(), open);
        return !nodes_.empty();
    }
    std::vector<std::uint32_t> path;
    for (; anchored_ < nodes_.size() && nodes > 0; ++anchored_) {
        path.clear();
        auto at = static_cast<std::int32_t>(anchored_);
        while (at != none && anchors_[static_cast<std::size_t>(at)] == open) {
            path.push_back(static_cast<std::uint32_t>(at));
            if (nodes_[static_cast<std::size_t>(at)].mail != no_mail) break;
            at = nodes_[static_cast<std::size_t>(at)].parent;
        }
        // Where the walk has ended: a mail, something known, or a dummy without parent.
        const auto found = at == none                                       ? static_cast<std::int32_t>(path.back())
                           : anchors_[static_cast<std::size_t>(at)] != open ? anchors_[static_cast<std::size_t>(at)]
                                                                            : at;
        for (const auto step : path) anchors_[step] = found;
        nodes -= std::min(nodes, path.size() + 1);
    }
    return anchored_ < nodes_.size();
}

// Steps 2 and 3: a mail hangs under the nearest mail above it; without one, under the topmost dummy, which goes when it
// has one child only.
threader::tree threader::prune() {
    while (prepare(nodes_.size())) {}
    constexpr std::int32_t none = -1;
    const auto& anchor = anchors_;
    tree t;
    t.mails = static_cast<std::uint32_t>(mails_.size());
    t.children.resize(mails_.size());
    std::vector<std::int32_t> dummy(nodes_.size(), none);   // the member a topmost dummy has become
    for (const auto& n : nodes_) {
        if (n.mail == no_mail) continue;
        if (n.parent == none) {
            t.roots.push_back(n.mail);
            continue;
        }
        const auto above = static_cast<std::size_t>(anchor[static_cast<std::size_t>(n.parent)]);
        if (nodes_[above].mail != no_mail) {
            t.children[nodes_[above].mail].push_back(n.mail);
            continue;
        }
        if (dummy[above] == none) {
            dummy[above] = static_cast<std::int32_t>(t.add_dummy());
            t.roots.push_back(static_cast<std::uint32_t>(dummy[above]));
        }
        t.children[static_cast<std::size_t>(dummy[above])].push_back(n.mail);
    }
    const auto before = [this](std::uint32_t a, std::uint32_t b) { return comes_before(a, b); };
    for (auto& root : t.roots) {
        if (!t.is_dummy(root)) continue;
        auto& below = t.children[root];
        std::sort(below.begin(), below.end(), before);
        if (below.size() == 1) root = below.front();
    }
    return t;
}

// Step 5. The roots are sorted; every dummy has sorted children.
void threader::merge_subjects(tree& t) const {
    const auto subject_of = [&](std::uint32_t root) { return mails_[t.first_mail(root)].subject; };
    const auto is_reply = [&](std::uint32_t root) { return mails_[t.first_mail(root)].is_reply; };
    constexpr auto none = no_mail;
    std::vector<std::uint32_t> table(subjects_.size() + 1, none);
    for (const auto root : t.roots) {   // 5.B
        const auto subject = subject_of(root);
        if (subject == 0) continue;
        auto& entry = table[subject];
        if (entry == none || (!t.is_dummy(entry) && (t.is_dummy(root) || (is_reply(entry) && !is_reply(root)))))
            entry = root;
    }
    std::vector<std::uint32_t> kept;
    std::vector<bool> merged(t.children.size() + t.roots.size(), false);
    const auto roots = t.roots;
    for (const auto root : roots) {     // 5.C
        const auto subject = subject_of(root);
        if (subject == 0 || table[subject] == root) {
            kept.push_back(root);
            continue;
        }
        auto& entry = table[subject];
        if (t.is_dummy(entry) && t.is_dummy(root)) {
            // first_mail() of an entry must stay its first: the children of an older thread go before.
            auto moved = std::move(t.children[root]);
            t.children[root].clear();
            t.children[entry].insert(t.children[entry].end(), moved.begin(), moved.end());
        } else if (t.is_dummy(entry) || (is_reply(root) && !is_reply(entry))) {
            t.children[entry].push_back(root);
        } else {
            const auto both = t.add_dummy();
            t.children[both] = {entry, root};
            merged[entry] = true;
            kept.push_back(both);
            entry = both;
        }
    }
    std::erase_if(kept, [&](std::uint32_t root) { return merged[root]; });
    t.roots = std::move(kept);
}

std::string threader::ordered_subject_text() const {
    std::vector<std::uint32_t> sorted(mails_.size());
    std::iota(sorted.begin(), sorted.end(), 0u);
    std::sort(sorted.begin(), sorted.end(), [this](std::uint32_t a, std::uint32_t b) {
        return mails_[a].subject != mails_[b].subject ? mails_[a].subject < mails_[b].subject : comes_before(a, b);
    });
    std::vector<std::pair<std::size_t, std::size_t>> threads;   // [first, last) of sorted
    for (std::size_t i = 0; i < sorted.size();) {
        auto last = i + 1;
        while (last < sorted.size() && mails_[sorted[last]].subject == mails_[sorted[i]].subject) ++last;
        threads.emplace_back(i, last);
        i = last;
    }
    std::sort(threads.begin(), threads.end(),
              [&](const auto& a, const auto& b) { return comes_before(sorted[a.first], sorted[b.first]); });
    std::string out;
    for (const auto& [first, last] : threads) {
        out += '(' + std::to_string(mails_[sorted[first]].shown);
        if (last > first + 1) out += ' ';
        for (auto i = first + 1; i < last; ++i) {
            const auto number = std::to_string(mails_[sorted[i]].shown);
            out += last == first + 2 ? number : '(' + number + ')';
        }
        out += ')';
    }
    return out;
}

std::string threader::text() {
    if (how_ == thread_algorithm::ordered_subject) return ordered_subject_text();
    auto t = prune();
    const auto before = [&](std::uint32_t a, std::uint32_t b) {
        return comes_before(t.first_mail(a), t.first_mail(b));
    };
    if (how_ == thread_algorithm::references) {
        std::sort(t.roots.begin(), t.roots.end(), before);   // 4
        merge_subjects(t);
    }
    for (auto& below : t.children) std::sort(below.begin(), below.end(), before);   // 6
    if (how_ == thread_algorithm::references) {
        std::sort(t.roots.begin(), t.roots.end(), before);
    } else {
        // REFS: by the newest mail of each thread.
        std::vector<std::int64_t> newest(t.children.size());
        std::vector<std::uint32_t> todo;
        for (const auto root : t.roots) {
            auto at = mails_[t.first_mail(root)].sent;
            todo.assign(1, root);
            while (!todo.empty()) {
                const auto one = todo.back();
                todo.pop_back();
                if (!t.is_dummy(one)) at = std::max(at, mails_[one].sent);
                todo.insert(todo.end(), t.children[one].begin(), t.children[one].end());
            }
            newest[root] = at;
        }
        std::sort(t.roots.begin(), t.roots.end(), [&](std::uint32_t a, std::uint32_t b) {
            return newest[a] != newest[b] ? newest[a] < newest[b] : t.first_mail(a) < t.first_mail(b);
        });
    }

    // thread-list = "(" (thread-members / thread-nested) ")": an only child follows its parent, several nest.
    std::string out;
    struct step {
        std::uint32_t member;
        bool close;
    };
    std::vector<step> todo;
    for (auto root = t.roots.rbegin(); root != t.roots.rend(); ++root) todo.push_back({*root, false});
    while (!todo.empty()) {
        const auto [begin, close] = todo.back();
        todo.pop_back();
        if (close) {
            out += ')';
            continue;
        }
        out += '(';
        auto member = begin;
        if (!t.is_dummy(member)) out += std::to_string(mails_[member].shown);
        while (t.children[member].size() == 1) {
            member = t.children[member].front();
            out += ' ' + std::to_string(mails_[member].shown);
        }
        const auto& below = t.children[member];
        if (!below.empty() && !t.is_dummy(member)) out += ' ';
        todo.push_back({0, true});
        for (auto child = below.rbegin(); child != below.rend(); ++child) todo.push_back({*child, false});
    }
    return out;
}

}  // namespace pp::imap
