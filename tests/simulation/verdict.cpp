#include "tests/simulation/verdict.hpp"

#include "daemon/engine/deposit.hpp"
#include "daemon/engine/outgoing.hpp"
#include "storage/blob_store.hpp"

#include <algorithm>
#include <map>

namespace pp::sim {

namespace {

// What lies in one account, by the token of the mail.
struct contents {
    std::map<std::string, int> copies;                       // in INBOX, Requests and Junk
    std::map<std::pair<std::string, std::string>, int> failures;   // token, recipient's label: reports
    std::map<std::pair<std::string, std::string>, storage::outbox_row> rows;
    std::size_t outgoing = 0, inbound = 0;
    std::string wrong;
};

std::string text_of(storage::account_store& store, std::uint64_t serial) {
    const auto blob = store.open_blob(serial);
    if (!blob) return {};
    std::string text(static_cast<std::size_t>((*blob)->size_bytes()), '\0');
    const auto n = (*blob)->read(0, std::as_writable_bytes(std::span(text)));
    text.resize(n ? *n : 0);
    return text;
}

// "mail-7@simulation", out of a Message-ID field.
std::string token_in(std::string_view text) {
    const auto begin = text.find("<mail-");
    if (begin == text.npos) return {};
    const auto end = text.find('>', begin);
    return std::string(text.substr(begin + 1, end - begin - 1));
}

void file(contents& out, storage::account_store& store, const storage::mailbox& box, const cast& c) {
    auto all = store.read([&](const storage::read_txn& txn) { return txn.messages(box.id, 1, 10000); });
    if (!all) {
        out.wrong = "a mailbox cannot be read: " + all.error().message();
        return;
    }
    for (const auto& m : *all) {
        const auto text = text_of(store, m.mail_serial);
        if (text.empty()) {
            out.wrong = "a mail cannot be read";
            return;
        }
        const bool report = text.find("report-type=delivery-status") != text.npos;
        if (!report) {
            if (const auto token = token_in(text); !token.empty()) ++out.copies[token];
            continue;
        }
        if (text.find("Action: failed") == text.npos) continue;
        for (const auto& p : c.all)
            if (const auto at = text.find("Final-Recipient:"); text.find(p.label, at) < text.find("\r\n\r\n", at))
                ++out.failures[{token_in(text), p.label}];
    }
}

contents look_into(services::node& n, const cast& c) {
    contents out;
    auto& store = n.accounts().front()->store();
    auto boxes = store.read([](const storage::read_txn& txn) { return txn.mailboxes(); });
    auto rows = store.read([](const storage::read_txn& txn) { return txn.outbox(false); });
    auto inbound = store.read([](const storage::read_txn& txn) { return txn.inbound(); });
    if (!boxes || !rows || !inbound) {
        out.wrong = "the store cannot be read";
        return out;
    }
    for (const auto& box : *boxes) {
        if (box.name == engine::outgoing_name) out.outgoing = box.messages;
        else if (box.use == storage::special_use::none || box.use == storage::special_use::junk)
            file(out, store, box, c);
    }
    for (auto& row : *rows) {
        auto token = row.message_id;
        if (token.size() > 2) token = token.substr(1, token.size() - 2);
        out.rows[{token, crypto::account_label(row.account)}] = row;
    }
    out.inbound = inbound->size();
    const auto checked = store.check([](std::uint64_t, std::uint64_t) {});
    if (!checked) out.wrong = "the store cannot be checked: " + checked.error().message();
    else if (!checked->lost.empty()) out.wrong = "the store has lost: " + checked->lost.front();
    return out;
}

std::string judge_one(const sent_mail& m, int to, const cast& c, std::map<int, contents>& all, const absence& away,
                      tally& t) {
    const auto& who = c.all[static_cast<std::size_t>(to - 1)];
    auto sender = all.contains(m.from) ? all[m.from] : contents();
    const int copies = all.contains(to) ? all[to].copies[m.token()] : 0;
    const int reports = sender.failures[{m.token(), who.label}];
    const auto row = sender.rows.find({m.token(), who.label});
    const auto name = "mail " + std::to_string(m.number) + " from node" + std::to_string(m.from) + " to node" +
                      std::to_string(to);
    t.delivered += copies == 1;
    t.reported += reports == 1;
    if (copies > 1) return name + " arrived " + std::to_string(copies) + " times";
    if (!all.contains(m.from)) return "";   // her machine is away: nobody can look there
    if (reports > 1) return name + " was reported as failed " + std::to_string(reports) + " times";
    // She had stored it, and her answer went down with her: nobody can know (the two generals).
    const bool answer_lost = away.machine == to && away.tokens.contains(m.token());
    if (answer_lost) return "";
    if (copies == 1 && reports == 1) return name + " arrived and was reported as failed";
    if (m.what == outcome::refused && copies + reports > 0) return name + " was refused and is there";
    if (m.what == outcome::refused) return "";
    if (row == sender.rows.end()) return m.what == outcome::accepted ? name + " was accepted and has no row" : "";
    const auto state = row->second.state;
    if (state == storage::outbox_state::delivered && copies != 1 && all.contains(to))
        return name + " is said to be delivered and is not there";
    if (state == storage::outbox_state::failed && reports != 1) return name + " has failed without a report";
    if (copies + reports != 1 && all.contains(to)) return name + " is neither there nor reported";
    return "";
}

}  // namespace

std::set<std::string> mails_in(services::node& n, const cast& c) {
    std::set<std::string> out;
    for (const auto& [token, count] : look_into(n, c).copies) out.insert(token);
    return out;
}

bool has_open_work(services::node& n, const std::string& gone, bool given_up) {
    for (auto* a : n.accounts()) {
        const auto rows = a->store().read([](const storage::read_txn& txn) { return txn.outbox(true); });
        const auto inbound = a->store().read([](const storage::read_txn& txn) { return txn.inbound(); });
        if (!rows || !inbound) return true;
        for (const auto& row : *rows)
            if (given_up || crypto::account_label(row.account) != gone) return true;
        for (const auto& row : *inbound)
            if (crypto::account_label(row.sender) != gone) return true;
    }
    return false;
}

bool waits_for_a_receipt(services::node& n, const std::string& gone) {
    for (auto* a : n.accounts()) {
        const auto rows = a->store().read([](const storage::read_txn& txn) { return txn.outbox(true); });
        if (!rows) continue;
        for (const auto& row : *rows) {
            const auto notes = engine::notes_of(row);
            const auto fetched = [](const auto& place) { return place && place->lies == engine::trace::fetched; };
            if (crypto::account_label(row.account) == gone && (fetched(notes.hers) || fetched(notes.ours))) return true;
        }
    }
    return false;
}

std::string kept_by_relay(services::node& n) {
    const auto s = n.relay()->store().status();
    if (!s) return "what cannot be read: " + s.error().message();
    if (s->items == 0 && s->seeds == 0 && s->bytes == 0) return "";
    return std::to_string(s->items) + " notifications, " + std::to_string(s->seeds) + " blobs, " +
           std::to_string(s->bytes) + " bytes";
}

std::string judge_blocked(const std::vector<std::unique_ptr<machine>>& machines, const cast& c,
                          const std::vector<std::unique_ptr<sent_mail>>& mails, int host, int blocked, tally& t) {
    auto* n = machines[static_cast<std::size_t>(host - 1)]->node();
    if (!n) return "";
    const auto here = mails_in(*n, c);
    for (const auto& m : mails) {
        if (m->from != blocked || m->what != outcome::accepted) continue;
        if (here.contains(m->token()))
            return "mail " + std::to_string(m->number) + " of somebody who is blocked is there";
        t.refusals += std::find(m->to.begin(), m->to.end(), host) != m->to.end();
    }
    return "";
}

std::string open_work(const std::vector<std::unique_ptr<machine>>& machines) {
    std::string out;
    for (const auto& m : machines) {
        if (!m->node()) {
            out += m->name() + " does not serve; ";
            continue;
        }
        auto& store = m->node()->accounts().front()->store();
        const auto rows = store.read([](const storage::read_txn& txn) { return txn.outbox(true); });
        const auto inbound = store.read([](const storage::read_txn& txn) { return txn.inbound(); });
        if (rows)
            for (const auto& row : *rows) out += m->name() + ": " + row.message_id + " (" + row.last_error + "); ";
        if (inbound && !inbound->empty()) out += m->name() + " has " + std::to_string(inbound->size()) + " to fetch; ";
    }
    return out;
}

std::string judge(const std::vector<std::unique_ptr<machine>>& machines, const cast& c,
                  const std::vector<std::unique_ptr<sent_mail>>& mails, const absence& away, tally& t) {
    std::map<int, contents> all;
    for (const auto& m : machines) {
        if (!m->node()) continue;
        auto found = look_into(*m->node(), c);
        if (!found.wrong.empty()) return m->name() + ": " + found.wrong;
        if (found.outgoing > 0) return m->name() + " shows a mail in Outgoing that is over";
        if (found.inbound > 0 && away.gone.empty())
            return m->name() + " has a row for a mail that is to be fetched and is not";
        all[m->os().number] = std::move(found);
    }
    for (const auto& mail : mails)
        for (const int to : mail->to)
            if (auto wrong = judge_one(*mail, to, c, all, away, t); !wrong.empty()) return wrong;
    return "";
}

}  // namespace pp::sim
