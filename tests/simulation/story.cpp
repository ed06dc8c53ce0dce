#include "tests/simulation/story.hpp"

#include "daemon/engine/outgoing.hpp"
#include "daemon/services/log.hpp"
#include "tests/simulation/machine.hpp"
#include "tests/simulation/mail_user.hpp"
#include "tests/simulation/network.hpp"
#include "tests/simulation/verdict.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <unistd.h>

namespace pp::sim {

namespace {

constexpr nanoseconds settles_within = 4 * hour;       // after everything was mended
constexpr nanoseconds look_every = 20 * second;
constexpr std::uint64_t switches_max = 3000000;        // more: something spins
constexpr nanoseconds gives_up_after = 5 * day + hour;

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
    std::string give_up();
    bool quiet();
    std::string gone() const { return gone_ ? cast_.all[static_cast<std::size_t>(gone_->os().number - 1)].label : ""; }
    void later(nanoseconds wait, std::function<void()> what) { clock_.at(clock_.now() + wait, std::move(what)); }
    nanoseconds up_to(nanoseconds most) { return 1 + static_cast<nanoseconds>(dice_.below(static_cast<std::uint64_t>(most))); }
    machine& any() { return *machines_[dice_.below(machines_.size())]; }
    void reboot_later(machine& m, nanoseconds wait);

    std::uint64_t seed_;
    dice dice_;
    const cast& cast_;
    std::filesystem::path folder_;
    scheduler& clock_ = scheduler::the();
    network& net_ = network::the();
    std::vector<std::unique_ptr<machine>> machines_;
    std::vector<std::unique_ptr<host>> users_;
    std::vector<std::unique_ptr<sent_mail>> mails_;
    bool days_over_ = false;
    machine* gone_ = nullptr;             // for days, or for good
    absence away_;
    tally tally_{};
};

void story::set_stage() {
    const auto n = dice_.chance(50) ? 2 : people;
    const bool lan = dice(seed_ ^ 0x1a2).chance(40);   // dice of its own: the stories of regressions.txt stay
    for (int i = 1; i <= n; ++i) {
        const auto home = folder_ / std::to_string(i);
        std::filesystem::copy(cast_.folder / std::to_string(i), home, std::filesystem::copy_options::recursive);
        auto c = configuration_of(i);
        c.lan.enabled = lan;
        machines_.push_back(std::make_unique<machine>(i, home, std::move(c)));
        users_.push_back(std::make_unique<host>());
        users_.back()->number = 100 + i;
        users_.back()->user = true;
    }
    net_.now_like.delay = dice_.between(1, 150) * ms;
    net_.now_like.loss_percent = dice_.chance(50) ? static_cast<unsigned>(dice_.below(10)) : 0;
    net_.now_like.double_percent = static_cast<unsigned>(dice_.below(20));
    for (auto& m : machines_)
        if (dice_.chance(85)) m->switch_on();
        else reboot_later(*m, up_to(10 * minute));
}

void story::reboot_later(machine& m, nanoseconds wait) {
    later(wait, [this, &m] {
        if (&m == gone_ || m.running()) return;
        if (m.os().powered && m.serving()) return;
        m.switch_on();
    });
}

void story::write_mail() {
    auto mail = std::make_unique<sent_mail>();
    mail->number = static_cast<int>(mails_.size());
    const auto from = dice_.below(machines_.size());
    mail->from = static_cast<int>(from) + 1;
    for (std::size_t i = 0; i < machines_.size(); ++i)
        if (i != from && (machines_.size() == 2 || dice_.chance(60))) mail->to.push_back(static_cast<int>(i) + 1);
    if (mail->to.empty()) mail->to.push_back(static_cast<int>(from == 0 ? 2 : 1));
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

// One stroke of fate.
void story::trouble() {
    auto& m = any();
    auto& other = any();
    switch (dice_.below(9)) {
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

bool story::quiet() {
    for (const auto& mail : mails_)
        if (mail->what == outcome::pending) return false;
    for (auto& m : machines_) {
        if (m.get() == gone_) continue;
        if (!m->serving()) return false;
        if (has_open_work(*m->node(), gone(), days_over_)) return false;
    }
    return true;
}

// Until nothing is open any more.
std::string story::settle() {
    const auto within = planted == plant::none ? settles_within : settles_within / 8;
    const auto end = clock_.now() + within;
    while (clock_.now() < end) {
        for (auto& m : machines_)
            if (!m->running() && m.get() != gone_) m->switch_on();
        clock_.run(clock_.now() + look_every);
        for (const auto& m : machines_)
            if (!m->complaint.empty()) return m->complaint;
        if (clock_.switches() > switches_max) return "something spins";
        if (quiet()) return "";
    }
    return "a row is still open " + std::to_string(within / minute) + " minutes after everything was mended: " +
           open_work(machines_);
}

// Somebody stays away for days: the others are told, once. Perhaps she comes back after that.
std::string story::give_up() {
    tell("days go by without node%d", gone_->os().number);
    ++tally_.given_up;
    days_over_ = true;
    for (auto& m : machines_) m->os().wall_ahead += gives_up_after;
    auto wrong = settle();
    if (!wrong.empty() || dice_.chance(30)) return wrong;
    auto& back = *gone_;
    gone_ = nullptr;
    away_.machine = back.os().number;
    back.opened = [this](services::node& n) { away_.tokens = mails_in(n, cast_); };
    if (!back.running()) back.switch_on();
    clock_.run(clock_.now() + minute);
    return settle();
}

std::string story::play(tally& t) {
    set_stage();
    const auto length = up_to(dice_.chance(80) ? 10 * minute : 3 * hour);
    const auto mails = 2 + dice_.below(8);
    const auto troubles = dice_.below(10);
    for (std::size_t i = 0; i < mails; ++i) later(5 * second + up_to(length), [this] { write_mail(); });
    for (std::size_t i = 0; i < troubles; ++i) later(5 * second + up_to(length), [this] { trouble(); });
    if (dice_.chance(12))
        later(5 * second + up_to(length), [this] {
            gone_ = &any();
            tell("node%d will be away for long", gone_->os().number);
            gone_->power_off("for long");
        });
    // Machines that lost their power in the middle of a write come back by themselves.
    const auto end = clock_.now() + length + 30 * second;
    while (clock_.now() < end) {
        clock_.run(std::min(end, clock_.now() + 30 * second));
        for (auto& m : machines_)
            if (!m->running() && !m->os().powered && m.get() != gone_ && dice_.chance(40)) m->switch_on();
    }
    if (clock_.switches() > switches_max) return "something spins";
    mend();
    auto wrong = settle();
    if (wrong.empty() && gone_) wrong = give_up();
    away_.gone = gone();
    if (wrong.empty()) wrong = judge(machines_, cast_, mails_, away_, tally_);
    for (const auto& m : machines_) tally_.crashes += m->crashes;
    for (const auto& mail : mails_) {
        tally_.accepted += mail->what == outcome::accepted;
        tally_.refused += mail->what == outcome::refused;
        tally_.unknown += mail->what == outcome::unknown;
    }
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
    services::redirect_log(telling ? std::function<void(std::string_view)>([](std::string_view line) {
        const auto* t = scheduler::self();
        tell("node%d  %s", t ? t->on->number : 0, std::string(line.substr(0, line.find('\n'))).c_str());
    })
                                   : [](std::string_view) {});
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
