// Several sessions on the same mailboxes, their questions to the store interleaved at random. Each has a client that
// believes only what it is told (model_client.hpp). No line may break a rule; and when all have asked with NOOP, what
// every client believes is what the store holds, without asking for it. Clients with QRESYNC are cut off at any time
// and come back with what they remember. A failing seed is printed: PEERPOST_SEED=n plays it alone.
#include "proto/imap/grammar/response.hpp"
#include "proto/imap/server_session.hpp"
#include "tests/proto/imap/fake_daemon.hpp"
#include "tests/proto/imap/model_client.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <random>

namespace {

using namespace pp::imap;
using namespace pp::imap::test;
namespace mail = pp::mail;

flag_set flags_of(const mail::flags& flags) {
    flag_set out;
    const auto text = flag_list_text(flags);
    std::istringstream words(text.substr(1, text.size() - 2));
    for (std::string word; words >> word;) out.insert(word);
    return out;
}

struct session {
    session(fake_store& store, bool condstore, bool qresync) : daemon(store), machine(session_options()) {
        client.condstore = condstore || qresync;
        client.qresync = qresync;
    }
    fake_daemon daemon;
    server_session machine;
    model_client client;
    std::optional<event> open;   // asked, not yet answered
    std::string received, box;
    bool greeted = false, idling = false, news_due = false;
    int stage = 0;   // login, ENABLE, then work
    int commands = 0;
};

class world {
public:
    explicit world(unsigned seed, bool break_it = false) : dice_(seed), break_it_(break_it) {
        store_.create("INBOX");
        store_.create("Other");
        for (int i = 0; i < 6; ++i) store_.mailboxes["INBOX"].add("Subject: x\r\n\r\nbody\r\n");
        for (int i = 0; i < 4; ++i) sessions_.push_back(fresh(i));
    }

    // Empty: all is as it must be.
    std::string run(int steps) {
        for (int i = 0; i < steps && trouble().empty(); ++i) {
            step(*sessions_[roll(sessions_.size())], true);
            if (i % 2000 == 1999) converge();
        }
        converge();
        return trouble();
    }
    std::size_t comparisons = 0, resyncs = 0;

private:
    std::unique_ptr<session> fresh(int kind) { return std::make_unique<session>(store_, kind == 1, kind >= 2); }
    unsigned roll(std::size_t sides) { return static_cast<unsigned>(dice_() % sides); }
    std::string trouble() const {
        if (!difference_.empty()) return difference_;
        for (const auto& s : sessions_)
            if (!s->client.trouble.empty()) return s->client.trouble;
        return {};
    }

    void step(session& s, bool may_begin) {
        if (s.news_due && roll(3) == 0) {
            s.news_due = false;
            s.machine.news();
        }
        if (s.open) {
            const auto answer = answer_of(s);
            s.open.reset();
            s.machine.answer(answer);
            return;
        }
        if (const auto text = s.machine.to_send(); !text.empty()) {
            s.received += pp::as_text(text);
            s.machine.sent(text.size());
            take_lines(s);
            return;
        }
        s.open = s.machine.next_event();
        if (s.open || !s.machine.to_send().empty()) return;
        if (s.idling) {
            if (!may_begin || roll(6) == 0) {
                s.idling = false;
                s.machine.received(pp::as_bytes("DONE\r\n"));
            }
        } else if (may_begin && s.greeted && !s.client.command) {
            begin(s);
        }
    }

    verdict answer_of(session& s) {
        const bool changes =
            std::holds_alternative<append_end>(*s.open) || std::holds_alternative<store_flags>(*s.open) ||
            std::holds_alternative<copy_messages>(*s.open) || std::holds_alternative<expunge_messages>(*s.open);
        auto answer = s.daemon(*s.open);
        if (break_it_)   // the negative control: changes of others are lost now and then
            if (auto* delta = std::get_if<outcome<mailbox_delta>>(&answer); delta && roll(20) == 0)
                if (auto* known = std::get_if<mailbox_delta>(delta)) known->changed.clear();
        if (changes)
            for (const auto& other : sessions_) other->news_due = true;
        return answer;
    }

    void take_lines(session& s) {
        for (;;) {
            std::string line;
            std::size_t at = 0;
            for (;;) {   // a response with its literals
                const auto end = s.received.find("\r\n", at);
                if (end == s.received.npos) return;
                line += s.received.substr(at, end - at);
                at = end + 2;
                const auto brace = line.rfind('{');
                if (line.empty() || line.back() != '}' || brace == line.npos) break;
                const auto size = std::stoul(line.substr(brace + 1));
                if (s.received.size() < at + size) return;
                line.resize(brace);
                at += size;
            }
            s.received.erase(0, at);
            if (!s.greeted) {
                s.greeted = true;
                continue;
            }
            s.idling |= line.starts_with("+ idling");
            if (s.client.take(line) && s.client.last_status == "BA")
                difference_ = "BAD: " + s.client.last_line + " to " + last_sent_;
            recent_to_one(s);
        }
    }
    // RFC 3501 section 2.3.2: to the first that is told of a mail; EXAMINE takes it from nobody.
    void recent_to_one(const session& s) {
        if (s.client.last_select_read_only || s.client.selecting()) return;
        const std::pair here(&s, s.client.selections);
        for (const auto uid : s.client.recent) {
            const auto first = recent_to_.try_emplace({s.client.uid_validity, uid}, here).first->second;
            if (first != here) difference_ = "UID " + std::to_string(uid) + " is \\Recent twice in " + s.box;
        }
    }

    void send(session& s, const std::string& name, const std::string& arguments, bool uid = false,
              bool by_number = false) {
        const auto tag = "t" + std::to_string(++s.commands);
        s.client.command = model_client::running{tag, name, uid, by_number, s.client.resync_from.has_value()};
        last_sent_ = tag + (uid ? " UID " : " ") + name + (arguments.empty() ? "" : " ") + arguments;
        s.machine.received(pp::as_bytes(last_sent_ + "\r\n"));
    }

    std::string some_numbers(const session& s) {
        const auto n = s.client.view.size();
        const auto a = 1 + roll(n), b = 1 + roll(n);
        return roll(2) ? std::to_string(a) : std::to_string(std::min(a, b)) + ':' + std::to_string(std::max(a, b));
    }
    std::string some_uids(const session& s) {
        std::string out;
        for (const auto& mail : s.client.view)
            if (mail.uid != 0 && roll(3) == 0) out += (out.empty() ? "" : ",") + std::to_string(mail.uid);
        return out.empty() ? "1:*" : out;
    }

    void begin(session& s) {
        if (s.stage == 0) {
            ++s.stage;
            return send(s, "LOGIN", "ann secret");
        }
        if (s.stage == 1) {
            ++s.stage;
            return send(s, "ENABLE", s.client.qresync ? "QRESYNC" : s.client.condstore ? "CONDSTORE" : "X");
        }
        if (!s.client.selected) return select(s);
        const bool empty = s.client.view.empty();
        switch (roll(26)) {
        case 0: return send(s, "FETCH", (empty ? "1:*" : some_numbers(s)) + " (FLAGS)");
        case 1: return send(s, "FETCH", (empty ? "1:*" : some_numbers(s)) + " (UID FLAGS BODY[])");
        case 2:
        case 3: return send(s, "FETCH", "1:* (FLAGS)", true);
        case 4:
            return send(s, "FETCH",
                        "1:* (FLAGS MODSEQ)" + std::string(s.client.qresync ? " (CHANGEDSINCE 3 VANISHED)" : ""), true);
        case 5:
        case 6:
        case 7:
        case 8: return store(s, false);
        case 9:
        case 10:
        case 11: return store(s, true);
        case 12:
            return empty ? send(s, "NOOP", "") : send(s, "COPY", some_numbers(s) + (roll(2) ? " INBOX" : " Other"));
        case 13:
            return empty ? send(s, "NOOP", "") : send(s, "MOVE", some_numbers(s) + (roll(4) ? " Other" : " INBOX"));
        case 14: return send(s, "MOVE", some_uids(s) + (roll(2) ? " Other" : " INBOX"), true);
        case 15: return send(s, "EXPUNGE", "");
        case 16: return send(s, "EXPUNGE", some_uids(s), true);
        case 17:
        case 18: {
            send(s, "APPEND",
                 std::string(roll(3) ? "INBOX" : "Other") + (roll(2) ? " (\\Seen)" : "") +
                     " {18+}\r\nSubject: y\r\n\r\nnew\n");
            return;
        }
        case 19:
        case 20: return send(s, "IDLE", "");
        case 21: return send(s, "SEARCH", "DELETED");
        case 22: {
            const bool by_number = !empty && roll(2);
            return send(s, "SEARCH", by_number ? some_numbers(s) : "UNSEEN", true, by_number);
        }
        case 23: return roll(3) ? send(s, "NOOP", "") : leave(s);
        case 24: return roll(3) ? send(s, "NOOP", "") : cut(s);
        default: return send(s, "NOOP", "");
        }
    }

    void select(session& s, const std::string& parameters = {}) {
        if (parameters.empty()) s.box = roll(4) ? "INBOX" : "Other";
        send(s, roll(5) ? "SELECT" : "EXAMINE", s.box + parameters);
    }
    void leave(session& s) {
        if (roll(2)) return select(s);
        s.client.selected = false;
        s.client.view.clear();
        send(s, roll(2) ? "UNSELECT" : "CLOSE", "");
    }

    // RFC 9051 section 6.4.6: after .SILENT the client takes its own change for done.
    void store(session& s, bool uid) {
        if (s.client.view.empty()) return send(s, "NOOP", "");
        static constexpr const char* words[] = {"\\Seen", "\\Flagged", "\\Deleted", "$Label", "\\Answered"};
        const std::string flag = words[roll(std::size(words))];
        const unsigned mode = roll(5);   // replace, add (twice as often), remove
        const bool silent = roll(2) == 0;
        const auto set = uid ? some_uids(s) : some_numbers(s);
        std::string arguments = set;
        if (s.client.condstore && !silent && roll(3) == 0)
            arguments += " (UNCHANGEDSINCE " + std::to_string(s.client.highest_modseq) + ")";
        arguments += mode == 0 ? " FLAGS" : mode < 4 ? " +FLAGS" : " -FLAGS";
        arguments += (silent ? ".SILENT (" : " (") + flag + ")";
        const bool read_only = s.client.last_select_read_only;
        if (silent && !read_only) {
            const auto named = set == "1:*" ? std::vector<std::uint32_t>() : model_client::uids_of(set);
            for (std::size_t i = 0; i < s.client.view.size(); ++i) {
                auto& mail = s.client.view[i];
                const auto name = uid ? mail.uid : static_cast<std::uint32_t>(i + 1);
                if (set == "1:*") {
                    mail.flags.reset();   // more may have come than the client knows of
                } else if (mail.flags && std::find(named.begin(), named.end(), name) != named.end()) {
                    if (mode == 0) mail.flags->clear();
                    if (mode < 4) mail.flags->insert(flag);
                    else mail.flags->erase(flag);
                }
            }
        }
        send(s, "STORE", arguments, uid);
    }

    // The connection is gone; who has QRESYNC comes back with what it remembers.
    void cut(session& s) {
        const auto kind = s.client.qresync ? 2 : s.client.condstore ? 1 : 0;
        const auto at =
            std::find_if(sessions_.begin(), sessions_.end(), [&](const auto& one) { return one.get() == &s; });
        const auto cache = s.client.cache();
        const bool resync = s.client.qresync && s.client.knows_all() && cache.uid_validity != 0;
        const auto box = s.box;
        retired_.push_back(std::move(*at));   // the caller still holds it
        *at = fresh(kind);
        auto& next = **at;
        if (!resync) return;
        next.box = box;
        while (next.stage < 2 || next.client.command || !next.greeted || next.open || !next.machine.to_send().empty())
            step(next, next.stage < 2);
        ++resyncs;
        next.client.resync_from = cache;
        std::string parameters =
            " (QRESYNC (" + std::to_string(cache.uid_validity) + ' ' + std::to_string(cache.modseq);
        if (!cache.mails.empty() && roll(2)) parameters += " 1:" + std::to_string(cache.mails.rbegin()->first);
        select(next, parameters + "))");
    }

    bool all_quiet() const {
        return std::all_of(sessions_.begin(), sessions_.end(), [](const auto& s) {
            return s->greeted && !s->client.command && !s->idling && !s->open && s->machine.to_send().empty();
        });
    }
    // Lets everything that runs end; then each asks once, and what it believes is compared.
    void converge() {
        for (int i = 0; i < 100'000 && !all_quiet(); ++i)
            for (const auto& s : sessions_) step(*s, false);
        for (const auto& s : sessions_) {
            if (!trouble().empty()) return;
            if (s->client.command || s->idling || !s->greeted) difference_ = "a command has not ended: " + last_sent_;
            if (!s->client.selected || s->stage < 2) continue;
            send(*s, "NOOP", "");
            for (int i = 0; i < 1000 && s->client.command; ++i) step(*s, false);
            compare(*s);
        }
    }
    void compare(const session& s) {
        const auto& truth = store_.mailboxes[s.box].mails;
        const auto& view = s.client.view;
        ++comparisons;
        const auto who = " in " + s.box +
                         (s.client.qresync     ? " with QRESYNC"
                          : s.client.condstore ? " with CONDSTORE"
                                               : "");
        if (view.size() != truth.size()) {
            difference_ =
                std::to_string(view.size()) + " mails believed, " + std::to_string(truth.size()) + " there" + who;
            return;
        }
        for (std::size_t i = 0; i < view.size(); ++i) {
            if (view[i].uid != 0 && view[i].uid != truth[i].uid)
                difference_ = "UID " + std::to_string(view[i].uid) + " believed, " + std::to_string(truth[i].uid) +
                              " there" + who;
            if (view[i].flags && *view[i].flags != flags_of(truth[i].flags)) {
                difference_ = "UID " + std::to_string(truth[i].uid) + ": flags believed:";
                for (const auto& flag : *view[i].flags) difference_ += ' ' + flag;
                difference_ += ", there: " + flag_list_text(truth[i].flags) + who;
            }
        }
    }

    fake_store store_;
    std::mt19937 dice_;
    const bool break_it_;
    std::vector<std::unique_ptr<session>> sessions_, retired_;
    std::string difference_, last_sent_;
    // by mailbox and UID
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::pair<const session*, unsigned>> recent_to_;
};

TEST_CASE("what every session believes is what is there", "[imap][model]") {
    std::vector<unsigned> seeds;
    if (const char* one = std::getenv("PEERPOST_SEED"))
        seeds.push_back(static_cast<unsigned>(std::strtoul(one, nullptr, 10)));
    else
        for (unsigned seed = 1; seed <= 16; ++seed) seeds.push_back(seed);
    std::size_t comparisons = 0, resyncs = 0;
    for (const auto seed : seeds) {
        INFO("seed " << seed);
        world one(seed);
        REQUIRE(one.run(8000) == "");
        comparisons += one.comparisons;
        resyncs += one.resyncs;
    }
    if (seeds.size() > 1) {   // the test itself: enough has happened to be worth something
        CHECK(comparisons > 120);
        CHECK(resyncs > 16);
    }
}

TEST_CASE("a change that is lost is noticed", "[imap][model]") {
    bool noticed = false;
    for (unsigned seed = 1; seed <= 10 && !noticed; ++seed) noticed = !world(seed, true).run(8000).empty();
    CHECK(noticed);
}

}  // namespace
