// The n-th call to the operating system fails, for every n; or the process dies there. What was acknowledged is there
// afterwards, what was refused is not, and the store heals when the cause is gone.
#include "storage/durable.hpp"
#include "tests/storage/store_fixture.hpp"

#include <cerrno>
#include <map>
#include <sys/wait.h>

using namespace pp;
using namespace pp::storage;
using namespace pp::storage::testing;

namespace {
int calls, fail_at, fail_with;
bool sticky, die;

int faulty(durable::call kind) {
    if (kind == durable::call::read || kind == durable::call::open) return 0;
    const int n = ++calls;
    if (n < fail_at || (!sticky && n > fail_at)) return 0;
    if (die) ::_exit(42);
    return fail_with;
}
struct faults {
    faults(int at, int with, bool from_then_on, bool dying = false) {
        calls = 0;
        fail_at = at;
        fail_with = with;
        sticky = from_then_on;
        die = dying;
        durable::set_fault_hook(faulty);
    }
    ~faults() { durable::set_fault_hook(nullptr); }
};

// Small and large mails, flags, expunge, roll-over. Tells each mail whose addition was acknowledged, each that went.
struct workload {
    std::map<std::string, bool> acknowledged;   // subject, present
    std::vector<std::string> refused;

    void run(account_store& store, const std::function<void(char, int)>& tell = {}) {
        const auto found = store.read([](const read_txn& t) { return t.find_mailbox("INBOX"); });
        if (!found || !*found) return;
        const auto id = (*found)->id;
        for (int i = 0; i < 12; ++i) {
            const auto subject = "m" + std::to_string(i);
            auto blob = store.new_blob();
            const bool ready =
                blob.write(pp::as_bytes(mail_text(subject, i % 4 == 1 ? 150000 : 2500))) && blob.finish();
            placed where;
            account_store::job add = [&](write_txn& t) -> result<void> {
                auto p = t.add_mail({id, {}, {}, ""}, blob);
                if (!p) return p.error();
                where = *p;
                return {};
            };
            if (ready && store.write({&add, 1}).front()) {
                acknowledged[subject] = true;
                if (tell) tell('+', i);
            } else {
                refused.push_back(subject);
                (void)store.try_heal();
                continue;
            }
            if (i % 3 != 2) continue;
            account_store::job remove = [&](write_txn& t) -> result<void> {
                mail::flags gone;
                gone.system = mail::deleted;
                mail::uid_set none;
                const auto one = mail::uid_set::of(where.uid, where.uid);
                if (auto r = t.change_flags(id, one, write_txn::flag_change::add, gone, {}, none); !r) return r.error();
                if (auto r = t.expunge(id, one); !r) return r.error();
                return {};
            };
            if (tell) tell('?', i);
            if (store.write({&remove, 1}).front()) {
                acknowledged[subject] = false;
                if (tell) tell('-', i);
            } else {
                (void)store.try_heal();
            }
        }
    }
};

std::map<std::string, std::string> mails_in(store_fixture& f) {
    std::map<std::string, std::string> out;
    for (const auto& m : f.all("INBOX")) {
        const auto text = f.text_of(m.mail_serial);
        const auto at = text.find("Subject: ") + 9;
        out[text.substr(at, text.find("\r\n", at) - at)] = text;
    }
    return out;
}

void compare(store_fixture& f, const workload& w) {
    const auto there = mails_in(f);
    std::size_t expected = 0;
    for (const auto& [subject, present] : w.acknowledged) {
        INFO(subject);
        CHECK(there.count(subject) == (present ? 1u : 0u));
        expected += present;
    }
    CHECK(there.size() == expected);
}
}  // namespace

TEST_CASE("every call fails once, and every call fails from some point on") {
    int runs = 0;
    for (const int error : {ENOSPC, EIO})
        for (const bool on : {false, true})
            for (int n = 1;; n += 1 + n / 20) {
                INFO("call " << n << (on ? " and on" : "") << " error " << error);
                store_fixture f;
                f.store.reset();
                f.options.segment_bytes = 24 * 1024;
                f.reopen();
                workload w;
                {
                    const faults arm(n, error, on);
                    w.run(*f.store);
                }
                const bool reached = calls >= n;
                REQUIRE(f.store->try_heal());
                CHECK(f.store->writable());
                compare(f, w);
                f.add("INBOX", mail_text("after"));
                w.acknowledged["after"] = true;
                CHECK(f.store->check({})->sound());
                f.reopen();
                compare(f, w);
                f.rebuild();
                compare(f, w);
                ++runs;
                if (!reached) break;
            }
    CHECK(runs > 100);
}

TEST_CASE("the process dies at every call") {
    for (int n = 1;; n += 1 + n / 30) {
        INFO("call " << n);
        store_fixture f;
        f.store.reset();
        f.options.segment_bytes = 24 * 1024;
        int pipe_fds[2];
        REQUIRE(::pipe(pipe_fds) == 0);
        const auto child = ::fork();
        if (child == 0) {
            ::close(pipe_fds[0]);
            recovery_report report;
            auto opened = account_store::open(f.folder, f.keys.clone(), report, f.options);
            if (!opened) ::_exit(1);
            const faults arm(n, EIO, false, true);
            workload w;
            w.run(**opened, [&](char what, int i) {
                const char told[2] = {what, static_cast<char>(i)};
                if (::write(pipe_fds[1], told, 2) != 2) ::_exit(1);
            });
            ::_exit(0);
        }
        ::close(pipe_fds[1]);
        std::map<std::string, char> last;
        char told[2];
        while (::read(pipe_fds[0], told, 2) == 2) last["m" + std::to_string(told[1])] = told[0];
        ::close(pipe_fds[0]);
        int status = 0;
        ::waitpid(child, &status, 0);
        REQUIRE(WIFEXITED(status));
        REQUIRE((WEXITSTATUS(status) == 42 || WEXITSTATUS(status) == 0));
        for (int round = 0; round < 2; ++round) {
            round == 0 ? f.reopen() : f.rebuild();
            const auto there = mails_in(f);
            std::size_t unknown = there.size();
            for (const auto& [subject, what] : last) {
                INFO(subject);
                if (what == '+') CHECK(there.count(subject) == 1);
                if (what == '-') CHECK(there.count(subject) == 0);
                unknown -= there.count(subject);
            }
            CHECK(unknown <= 1);   // the one in flight may be there, in full
            CHECK(f.store->check({})->sound());
        }
        if (WEXITSTATUS(status) == 0) break;
    }
}
