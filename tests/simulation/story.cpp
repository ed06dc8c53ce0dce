#include "tests/simulation/story.hpp"

#include "daemon/engine/last_word.hpp"
#include "daemon/engine/outgoing.hpp"
#include "daemon/services/log.hpp"
#include "tests/simulation/machine.hpp"
#include "tests/simulation/mail_user.hpp"
#include "tests/simulation/network.hpp"
#include "tests/simulation/plot.hpp"
#include "tests/simulation/verdict.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <set>
#include <utility>
#include <unistd.h>

namespace pp::sim {

namespace {

constexpr nanoseconds settles_within = 4 * hour;       // after everything was mended
constexpr nanoseconds look_every = 20 * second;
constexpr std::uint64_t switches_max = 3000000;        // more: something spins
constexpr nanoseconds gives_up_after = 5 * day + hour;
// In stories in which people take turns: the pause between two tries is over in somebody's absence.
constexpr nanoseconds settles_in_turns = 12 * hour;
constexpr int less_patience = 4;                       // with a fault put in: what has not come by then does not come
constexpr auto retry_in_turns = std::chrono::minutes(10);
constexpr nanoseconds relays_empty_within = 2 * hour;  // after the last receipt: rests are cleared away
constexpr nanoseconds relay_keeps_longest = 31 * day;  // storage/relay/limits.hpp, with an hour to spare

tally logged{};                                        // what the daemon says in its log

class story {
public:
    story(std::uint64_t seed, const cast& c, const std::filesystem::path& folder)
        : seed_(seed), dice_(seed * 0x2545f4914f6cdd1dull + 1), cast_(c), folder_(folder) {}

    std::string play(tally& t);

private:
    void set_stage();
    void write_mail();
    void trouble();
    void mend();
    std::string settle();
    std::string settle_in_turns();
    std::string give_up();
    std::string relays_are_emptied();
    std::string look_together();
    std::string complaint() const;
    bool relays_are_empty();
    bool quiet();
    bool is_idle(machine& m);
    machine& next_in_turn();
    // Of everybody else; until somebody says otherwise.
    void one_turn(machine& m, nanoseconds length);
    void off(machine& m);
    void start_relays();
    bool may_run(const machine& m) const;
    void visit_requests();
    bool has_heard_of_stranger();
    std::string gone() const { return gone_ ? cast_.all[static_cast<std::size_t>(gone_->os().number - 1)].label : ""; }
    void later(nanoseconds wait, std::function<void()> what) { clock_.at_home(clock_.now() + wait, std::move(what)); }
    nanoseconds up_to(nanoseconds most) {
        return 1 + static_cast<nanoseconds>(dice_.below(static_cast<std::uint64_t>(most)));
    }
    bool is_relay(const machine& m) const { return m.number() >= first_relay; }
    machine& person_at(std::size_t i) { return *machines_[i]; }
    machine& any_person() { return person_at(dice_.below(persons())); }
    std::size_t persons() const { return static_cast<std::size_t>(plot_.persons); }
    machine& any() { return *machines_[dice_.below(machines_.size())]; }
    void reboot_later(machine& m, nanoseconds wait);

    std::uint64_t seed_;
    dice dice_;
    const cast& cast_;
    std::filesystem::path folder_;
    plot plot_;
    scheduler& clock_ = scheduler::the();
    network& net_ = network::the();
    std::vector<std::unique_ptr<machine>> machines_;       // people first, then relays
    std::vector<std::unique_ptr<host>> users_;
    std::vector<std::unique_ptr<sent_mail>> mails_;
    bool days_over_ = false;
    machine* gone_ = nullptr;             // for days, or for good
    machine* on_ = nullptr;               // whose turn it is
    bool taking_turns_ = false;
    std::size_t turns_ = 0;
    std::set<int> idle_;                  // people who had nothing left to do when their turn ended
    absence away_;
    tally tally_{};
};

void story::set_stage() {
    const auto n = dice_.chance(50) ? 2 : people;
    plot_ = plot_of(seed_, n);
    taking_turns_ = plot_.in_turns;
    const auto enter = [this](int number) {
        const auto home = folder_ / std::to_string(number);
        std::filesystem::copy(cast_.home_of(number, plot_.relays), home, std::filesystem::copy_options::recursive);
        auto c = configuration_of(number);
        c.lan.enabled = plot_.lan;
        if (plot_.in_turns) c.delivery.retry_max = retry_in_turns;
        machines_.push_back(std::make_unique<machine>(number, home, std::move(c)));
        if (number >= first_relay) return;
        users_.push_back(std::make_unique<host>());
        users_.back()->number = 100 + number;
        users_.back()->user = true;
        if (plot_.in_turns || number == plot_.host || number == plot_.stranger)
            machines_.back()->opened = [this, number, done = false](services::node& node) mutable {
                auto& m = *machines_[static_cast<std::size_t>(number - 1)];
                if (done) return;
                m.os().disk_full = false;
                done = set_up(node, number, plot_, cast_);   // else its power went: when it is opened the next time
            };
    };
    for (int i = 1; i <= n; ++i) enter(i);
    for (int i = 0; i < relays_in(plot_); ++i) enter(first_relay + i);
    tally_.with_relays = plot_.relays != relay_use::none;
    tally_.in_turns = plot_.in_turns;
    net_.now_like.delay = dice_.between(1, 150) * ms;
    net_.now_like.loss_percent = dice_.chance(50) ? static_cast<unsigned>(dice_.below(10)) : 0;
    net_.now_like.double_percent = static_cast<unsigned>(dice_.below(20));
    for (auto& m : machines_) {
        if (!may_run(*m)) continue;
        if (dice_.chance(85)) m->switch_on();
        else reboot_later(*m, up_to(10 * minute));
    }
}

bool story::may_run(const machine& m) const { return &m != gone_ && (!taking_turns_ || is_relay(m) || &m == on_); }

void story::reboot_later(machine& m, nanoseconds wait) {
    later(wait, [this, &m] {
        if (may_run(m) && !m.running()) m.switch_on();
    });
}

void story::write_mail() {
    auto mail = std::make_unique<sent_mail>();
    mail->number = static_cast<int>(mails_.size());
    auto from = dice_.below(persons());
    if (taking_turns_ && on_) from = static_cast<std::size_t>(on_->number() - 1);
    mail->from = static_cast<int>(from) + 1;
    for (std::size_t i = 0; i < persons(); ++i)
        if (i != from && (persons() == 2 || dice_.chance(60))) mail->to.push_back(static_cast<int>(i) + 1);
    if (mail->to.empty()) mail->to.push_back(static_cast<int>(from == 0 ? 2 : 1));
    if (mail->from == plot_.host && plot_.stranger != 0 && !has_heard_of_stranger())
        std::erase(mail->to, plot_.stranger);
    if (mail->to.empty()) return;
    const auto kind = dice_.below(100);
    mail->bytes = kind < 60 ? 1 + dice_.below(3000) : kind < 85 ? dice_.below(80000) : 65536 + dice_.below(700000);

    submission s;
    const auto& sender = cast_.all[from];
    s.server = machines_[from]->os().address();
    s.user = s.from = sender.address;
    s.password = sender.password;
    std::string shown;
    for (const int to : mail->to) {
        s.recipients.push_back(cast_.all[static_cast<std::size_t>(to - 1)].address);
        shown += (shown.empty() ? "" : ", ") + s.recipients.back();
    }
    s.mail = "From: <" + s.from + ">\r\nTo: " + shown + "\r\nMessage-ID: <" + mail->token() +
             ">\r\nSubject: s\r\n\r\n";
    while (s.mail.size() < mail->bytes) s.mail += "All work and no play makes Jack a dull boy.\r\n";
    auto* m = mail.get();
    mails_.push_back(std::move(mail));
    ++tally_.mails;
    clock_.spawn(*users_[from], [m, s = std::move(s)]() -> void* {
        m->what = submit(s);
        static const char* const words[] = {"pending", "accepted", "refused", "of unknown fate"};
        tell("mail %d from node%d (%zu bytes): %s", m->number, m->from, m->bytes, words[static_cast<int>(m->what)]);
        return nullptr;
    });
}

// Before that there is no way to write to her: nobody but her own mail says where she is.
bool story::has_heard_of_stranger() {
    auto* n = machines_[static_cast<std::size_t>(plot_.host - 1)]->node();
    if (!n || !plot_.answers) return false;
    const auto who = crypto::parse_account_label(cast_.all[static_cast<std::size_t>(plot_.stranger - 1)].label);
    const auto known =
        n->accounts().front()->store().read([&](const storage::read_txn& txn) { return txn.get_contact(*who); });
    return known && known->has_value();
}

// The host looks at what strangers have written, and takes them for what they are.
void story::visit_requests() {
    const auto& who = cast_.all[static_cast<std::size_t>(plot_.host - 1)];
    const auto server = machines_[static_cast<std::size_t>(plot_.host - 1)]->os().address();
    clock_.spawn(*users_[static_cast<std::size_t>(plot_.host - 1)], [this, &who, server]() -> void* {
        const int moved = accept_requests(server, who.address, who.password);
        tell("%d mails were moved out of Requests", moved);
        tally_.requests += static_cast<std::uint64_t>(moved);
        return nullptr;
    });
}

// One stroke of fate.
void story::trouble() {
    auto& m = any();
    auto& other = any();
    switch (dice_.below(10)) {
    case 0:
    case 1:
        if (&m == &other) break;
        tell("node%d and node%d are parted", m.os().number, other.os().number);
        net_.part(m.os(), other.os());
        ++tally_.partitions;
        later(up_to(dice_.chance(70) ? minute : hour), [this, &m, &other] {
            tell("node%d and node%d are joined again", m.os().number, other.os().number);
            net_.heal(m.os(), other.os());
        });
        break;
    case 2:
        if (net_.cut_one()) {
            tell("a connection is cut");
            ++tally_.cuts;
        }
        break;
    case 3:
        if (!m.running() || !m.os().powered) break;
        m.power_off("between two events");
        reboot_later(m, up_to(dice_.chance(70) ? 30 * second : 30 * minute));
        break;
    case 4:
    case 5:
        if (!m.running() || !m.os().powered || m.os().dies_at_write != 0) break;
        m.os().dies_at_write = m.os().writes + 1 + dice_.below(40);
        tell("node%d will lose its power %d writes from now", m.os().number,
             static_cast<int>(m.os().dies_at_write - m.os().writes));
        break;
    case 6:
        if (!m.serving()) break;
        m.stop();
        ++tally_.stops;
        reboot_later(m, 3 * second + up_to(minute));
        break;
    case 7:
        tell("the disk of node%d is full", m.os().number);
        m.os().disk_full = true;
        ++tally_.full_disks;
        later(up_to(10 * minute), [&m] {
            tell("the disk of node%d has room again", m.os().number);
            m.os().disk_full = false;
        });
        break;
    case 8: {
        const auto jump = dice_.between(-2 * hour, 2 * hour);
        tell("the clock of node%d jumps by %d s", m.os().number, static_cast<int>(jump / second));
        m.os().wall_ahead += jump;
        ++tally_.clock_jumps;
        break;
    }
    case 9:
        if (net_.silence(m.os())) {
            tell("the connections of node%d fall silent", m.os().number);
            ++tally_.silences;
        }
        break;
    }
}

void story::mend() {
    tell("everything is mended");
    for (auto& m : machines_) {
        m->os().disk_full = false;
        m->os().dies_at_write = 0;
    }
    net_.now_like.loss_percent = 0;
    net_.heal_all();
}

// ---------------------------------------------------------------- until it is over

bool story::is_idle(machine& m) { return m.serving() && !has_open_work(*m.node(), gone(), days_over_); }

bool story::quiet() {
    for (const auto& mail : mails_)
        if (mail->what == outcome::pending) return false;
    for (auto& m : machines_)
        if (m.get() != gone_ && !is_idle(*m)) return false;
    return true;
}

std::string story::complaint() const {
    for (const auto& m : machines_)
        if (!m->complaint.empty()) return m->complaint;
    return clock_.switches() > switches_max ? "something spins" : "";
}

void story::off(machine& m) {
    if (dice_.chance(70)) m.stop();
    clock_.run(clock_.now() + 20 * second);
    if (m.running()) m.power_off("at the end of its turn");
    clock_.run(clock_.now() + second);
}

void story::start_relays() {
    for (auto& m : machines_)
        if (is_relay(*m) && !m->running()) m->switch_on();
}

machine& story::next_in_turn() {
    auto* next = &person_at(turns_++ % persons());
    return next == gone_ ? person_at(turns_++ % persons()) : *next;
}

// She comes, stays, and goes; at the end she may have nothing left to do.
void story::one_turn(machine& m, nanoseconds length) {
    on_ = &m;
    if (!m.running()) m.switch_on();
    clock_.run(clock_.now() + length);
    idle_.erase(m.number());
    if (is_idle(m)) idle_.insert(m.number());
    on_ = nullptr;
    off(m);
}

// Until nothing is open any more, although nobody is ever there together.
std::string story::settle_in_turns() {
    const auto within = planted == plant::none ? settles_in_turns : settles_in_turns / less_patience;
    for (const auto end = clock_.now() + within; clock_.now() < end;) {
        start_relays();
        auto& m = next_in_turn();
        one_turn(m, 40 * second + up_to(minute));
        if (auto wrong = complaint(); !wrong.empty()) return wrong;
        if (idle_.size() == persons() - (gone_ != nullptr)) return "";
    }
    taking_turns_ = false;
    auto wrong = look_together();
    return !wrong.empty() ? wrong : "a row is still open " + std::to_string(within / hour) +
           " hours after everything was mended, in turns: " + open_work(machines_);
}

// Everybody at once, but nobody can speak to anybody: what they have is looked at.
std::string story::look_together() {
    for (auto& a : machines_)
        for (auto& b : machines_)
            if (a != b) net_.part(a->os(), b->os());
    for (auto& m : machines_)
        if (!m->running() && m.get() != gone_) m->switch_on();
    clock_.run(clock_.now() + 20 * second);
    return complaint();
}

// Until nothing is open any more.
std::string story::settle() {
    if (taking_turns_) return settle_in_turns();
    const bool short_time = planted != plant::none && plot_.relays == relay_use::none;
    const auto within = short_time ? settles_within / 8 : settles_within;
    const auto end = clock_.now() + within;
    while (clock_.now() < end) {
        for (auto& m : machines_)
            if (!m->running() && m.get() != gone_) m->switch_on();
        clock_.run(clock_.now() + look_every);
        if (auto wrong = complaint(); !wrong.empty()) return wrong;
        if (quiet()) return "";
    }
    return "a row is still open " + std::to_string(within / minute) + " minutes after everything was mended: " +
           open_work(machines_);
}

bool story::relays_are_empty() {
    for (const auto& m : machines_)
        if (is_relay(*m) && !(m->serving() && kept_by_relay(*m->node()).empty())) return false;
    return true;
}

// What is over leaves nothing at a relay; at the latest when its time there has run out.
std::string story::relays_are_emptied() {
    if (plot_.relays == relay_use::none) return "";
    // For who is gone there may be mail until its time has run out.
    const auto end = clock_.now() + (gone_ ? 0 : relays_empty_within);
    while (!relays_are_empty() && clock_.now() < end) {
        start_relays();
        if (taking_turns_) one_turn(next_in_turn(), minute);
        else clock_.run(clock_.now() + minute);
    }
    if (relays_are_empty()) {
        ++tally_.emptied;
        return complaint();
    }
    for (const auto& m : machines_)
        if (is_relay(*m) && m->serving()) tell("%s still has %s", m->name().c_str(), kept_by_relay(*m->node()).c_str());
    for (auto& m : machines_)
        if (is_relay(*m)) m->os().sleeps(relay_keeps_longest);
    for (int i = 0; i < 10 && !relays_are_empty(); ++i) {
        start_relays();
        clock_.run(clock_.now() + minute);
    }
    ++tally_.emptied_by_time;
    if (relays_are_empty()) return complaint();
    for (const auto& m : machines_)
        if (is_relay(*m))
            return m->name() + " has for ever: " + (m->serving() ? kept_by_relay(*m->node()) : "no answer");
    return "";
}

std::string story::give_up() {
    tell("days go by without node%d", gone_->os().number);
    ++tally_.given_up;
    days_over_ = true;
    for (auto& m : machines_) m->os().sleeps(gives_up_after);
    idle_.clear();
    auto wrong = settle();
    // She has fetched one, and no receipt came out: its sender waits for her longer.
    const bool doubt = std::any_of(machines_.begin(), machines_.end(), [&](const auto& m) {
        return m->node() && waits_for_a_receipt(*m->node(), gone());
    });
    if (!wrong.empty() && doubt) {
        tell("more days go by without node%d, who has fetched a mail", gone_->os().number);
        for (auto& m : machines_) m->os().sleeps(engine::decided_within * gives_up_after);
        wrong = settle();
    }
    if (!wrong.empty() || dice_.chance(30)) return wrong;
    auto& back = *gone_;
    gone_ = nullptr;
    away_.machine = back.os().number;
    back.opened = [this](services::node& n) { away_.tokens = mails_in(n, cast_); };
    idle_.clear();
    if (!taking_turns_ && !back.running()) back.switch_on();
    if (!taking_turns_) clock_.run(clock_.now() + minute);
    return settle();
}

std::string story::play(tally& t) {
    set_stage();
    const bool short_story = dice_.chance(80) || plot_.relays != relay_use::none;   // relays cost the most
    const auto length = up_to(short_story ? 10 * minute : 3 * hour);
    const auto mails = 2 + dice_.below(8);
    const auto troubles = dice_.below(10);
    for (std::size_t i = 0; i < mails; ++i) later(5 * second + up_to(length), [this] { write_mail(); });
    for (std::size_t i = 0; i < troubles; ++i) later(5 * second + up_to(length), [this] { trouble(); });
    if (dice_.chance(12))
        later(5 * second + up_to(length), [this] {
            gone_ = &any_person();
            idle_.erase(gone_->number());   // whether she has anything left to do is not asked any more
            tell("node%d will be away for long", gone_->os().number);
            gone_->power_off("for long");
        });
    if (plot_.stranger != 0 && !plot_.answers)
        for (int i = 0; i < 3; ++i) later(5 * second + up_to(length), [this] { visit_requests(); });
    // Machines that lost their power in the middle of a write come back by themselves.
    const auto end = clock_.now() + length + 30 * second;
    while (clock_.now() < end) {
        const auto some = std::min(end, clock_.now() + (taking_turns_ ? 30 * second + up_to(2 * minute) : 30 * second));
        if (taking_turns_) one_turn(next_in_turn(), some - clock_.now());
        else clock_.run(some);
        for (auto& m : machines_)
            if (may_run(*m) && !m->running() && !m->os().powered && dice_.chance(40)) m->switch_on();
    }
    if (clock_.switches() > switches_max) return "something spins";
    mend();
    auto wrong = settle();
    if (wrong.empty() && gone_) wrong = give_up();
    away_.gone = gone();
    if (wrong.empty()) wrong = relays_are_emptied();
    if (wrong.empty() && taking_turns_) wrong = look_together();
    if (wrong.empty()) wrong = judge(machines_, cast_, mails_, away_, tally_);
    if (wrong.empty() && plot_.blocked != 0)
        wrong = judge_blocked(machines_, cast_, mails_, plot_.host, plot_.blocked, tally_);
    for (const auto& m : machines_) (is_relay(*m) ? tally_.relay_crashes : tally_.crashes) += m->crashes;
    for (const auto& mail : mails_) {
        tally_.accepted += mail->what == outcome::accepted;
        tally_.refused += mail->what == outcome::refused;
        tally_.unknown += mail->what == outcome::unknown;
    }
    tally_.left_at_relays = logged.left_at_relays;
    tally_.fetched_from_relays = logged.fetched_from_relays;
    tally_.letters = logged.letters;
    tally_.datagrams = net_.datagrams_come;
    tally_.switches = clock_.switches();
    tally_.virtual_s = static_cast<std::uint64_t>(clock_.now() / second);
    t = tally_;
    return wrong;
}

}  // namespace

void tally::add(const tally& o) {
    const auto* from = reinterpret_cast<const std::uint64_t*>(&o);
    auto* to = reinterpret_cast<std::uint64_t*>(this);
    for (std::size_t i = 0; i < sizeof(tally) / sizeof *to; ++i) to[i] += from[i];
}

void play(std::uint64_t seed, const cast& c, const std::filesystem::path& folder, ending& out) {
    scheduler::the().begin(seed);
    network::the().begin(seed ^ 0x5eed);
    plant_by(seed);
    services::redirect_log([](std::string_view line) {
        logged.left_at_relays += line.find("event=waits_at_relay") != line.npos;
        logged.fetched_from_relays += line.find("event=fetched_from_relay") != line.npos;
        logged.letters += line.find("event=answered_by_letter") != line.npos;
        if (!telling) return;
        const auto* t = scheduler::self();
        tell("node%d  %s", t ? t->on->number : 0, std::string(line.substr(0, line.find('\n'))).c_str());
    });
    std::filesystem::create_directories(folder);
    static ending* where_to_tell = &out;
    spinning = [](const host& machine) {
        where_to_tell->good = false;
        std::snprintf(where_to_tell->why, sizeof where_to_tell->why, "node%d spins at %.6f s", machine.number,
                      static_cast<double>(scheduler::the().now()) / 1e9);
        std::fflush(stdout);
        ::_exit(0);
    };
    auto* told = new story(seed, c, folder);   // never destroyed: the process ends with its threads
    const auto wrong = told->play(out.went_through);
    out.seed = seed;
    out.print = scheduler::the().print();
    out.good = wrong.empty();
    std::snprintf(out.why, sizeof out.why, "%s", wrong.c_str());
}

}  // namespace pp::sim
