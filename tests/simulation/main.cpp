// The command line (README.md): plays seeds, each in a process of its own, and sums up.
#include "crypto/primitives.hpp"
#include "daemon/services/log.hpp"
#include "tests/simulation/plot.hpp"
#include "tests/simulation/story.hpp"

#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <sodium.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

using namespace pp::sim;

namespace {

constexpr unsigned seed_limit_s = 40;   // of processor time: longer hangs, or spins
constexpr unsigned seed_alarm_s = 400;  // of real time

dice chance(1);

const char* name_of_chance() { return "simulation"; }
std::uint32_t random_word() { return static_cast<std::uint32_t>(chance.next()); }
void random_fill(void* const out, const std::size_t n) {
    auto* at = static_cast<unsigned char*>(out);
    for (std::size_t i = 0; i < n; ++i) at[i] = static_cast<unsigned char>(chance.next() >> 24);
}
randombytes_implementation all_from_the_seed = {name_of_chance, random_word, nullptr, nullptr, random_fill, nullptr};

// By a clock that the simulation leaves alone.
double real_seconds() {
    timespec t{};
    ::syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

struct arguments {
    struct entry {
        std::uint64_t seed = 0;
        stories kind = stories::all;
    };
    std::vector<entry> listed;                       // instead of the next two
    std::uint64_t first = 1, last = 1;
    bool trace = false, expect_bug = false, prints = false;
    plant fault = plant::none;
    unsigned within_s = 0;                           // begins no seed after so long; 0: no limit
    std::uint64_t at_least = 0;                      // but so many are played however long it takes
};

[[noreturn]] void usage() {
    std::fprintf(stderr, "usage: simulation --seed N [--trace] | --seeds A..B [--within SECONDS [--at-least SEEDS]] |\n"
                         "       --regressions FILE\n"
                         "       with --plain: no relays, no strangers; with --relays: relays in every one\n"
                         "       with --prints: a hash of what happened in each seed; it is the same in each run\n"
                         "       with --planted early_answer|forgotten_row|replay|lost_report|early_deposit|"
                         "forgotten_item|early_collect: good when it is found\n");
    std::exit(64);
}

arguments read_arguments(int argc, char** argv) {
    arguments out;
    for (int i = 1; i < argc; ++i) {
        const std::string_view what = argv[i];
        if (what == "--trace") {
            out.trace = true;
        } else if (what == "--prints") {
            out.prints = true;
        } else if (what == "--plain") {
            only = stories::plain;
        } else if (what == "--relays") {
            only = stories::with_relays;
        } else if (i + 1 < argc && what == "--seed") {
            out.first = out.last = std::strtoull(argv[++i], nullptr, 10);
        } else if (i + 1 < argc && what == "--seeds") {
            char* rest = nullptr;
            out.first = std::strtoull(argv[++i], &rest, 10);
            if (std::strncmp(rest, "..", 2) != 0) usage();
            out.last = std::strtoull(rest + 2, nullptr, 10);
        } else if (i + 1 < argc && what == "--regressions") {
            std::ifstream in(argv[++i]);
            for (std::string line; std::getline(in, line);)
                if (!line.empty() && line[0] != '#') {
                    char* rest = nullptr;
                    const auto seed = std::strtoull(line.c_str(), &rest, 10);
                    out.listed.push_back({seed, *rest == 'r' ? stories::with_relays : stories::plain});
                }
            if (out.listed.empty()) usage();
        } else if (i + 1 < argc && what == "--within") {
            out.within_s = static_cast<unsigned>(std::strtoul(argv[++i], nullptr, 10));
        } else if (i + 1 < argc && what == "--at-least") {
            out.at_least = std::strtoull(argv[++i], nullptr, 10);
        } else if (i + 1 < argc && what == "--planted") {
            out.fault = plant_of(argv[++i]);
            out.expect_bug = true;
        } else {
            usage();
        }
    }
    return out;
}

// One seed in a process of its own: no crash of it ends the others, and its memory looks the same at every run.
// False: a signal ended it before the story was over.
bool run_seed(std::uint64_t seed, const cast& c, plant fault, ending& out) {
    out = {};
    out.seed = seed;
    std::fflush(stdout);
    const auto child = ::fork();
    if (child == 0) {
        ::alarm(seed_alarm_s);
        const rlimit most{seed_limit_s, seed_limit_s};
        (void)::setrlimit(RLIMIT_CPU, &most);
        cpu_set_t one;                               // its threads take turns: faster without moving between processors
        CPU_ZERO(&one);
        CPU_SET(static_cast<unsigned>(::sched_getcpu()), &one);
        (void)::sched_setaffinity(0, sizeof one, &one);
        chance = dice(seed ^ 0xc0ffee);
        planted = fault;                             // not before: people are made and libraries warmed without it
        play(seed, c, c.folder.parent_path() / ("seed-" + std::to_string(seed)), out);
        std::fflush(stdout);
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    const bool ended_by_itself = !WIFSIGNALED(status);
    if (!ended_by_itself) {
        out.good = false;
        std::snprintf(out.why, sizeof out.why, "the process ended by signal %d (%s)", WTERMSIG(status),
                      strsignal(WTERMSIG(status)));
    }
    std::error_code ignored;
    std::filesystem::remove_all(c.folder.parent_path() / ("seed-" + std::to_string(seed)), ignored);
    return ended_by_itself;
}

}  // namespace

int main(int argc, char** argv) {
    const auto asked = read_arguments(argc, argv);
    ::mallopt(M_ARENA_MAX, 1);                       // one heap: the order of addresses is that of allocation
    ::mallopt(M_MMAP_THRESHOLD, 3 << 19);            // of what is larger few pages are ever touched (LMDB's 2 MiB)
    ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
    ::mallopt(M_TOP_PAD, 16 << 20);
    ::unsetenv("CREDENTIALS_DIRECTORY");
    ::unsetenv("PEERPOST_PASSPHRASE_FILE");
    randombytes_set_implementation(&all_from_the_seed);
    pp::crypto::initialise();
    scheduler::the().begin(0);
    pp::services::redirect_log([](std::string_view) {});

    char folder[] = "/dev/shm/peerpost-simulation-XXXXXX";
    if (!::mkdtemp(folder)) {
        std::perror("mkdtemp");
        return 1;
    }
    const auto people_made = make_cast(std::filesystem::path(folder) / "cast");
    warm_up(people_made);
    auto* const result = static_cast<ending*>(
        ::mmap(nullptr, sizeof(ending), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    ::malloc_trim(0);                                // what is free would be copied, page by page, in each seed
    telling = asked.trace;
    if (telling) std::setvbuf(stdout, nullptr, _IOLBF, 0);
    tally all{};
    std::uint64_t bad = 0, ended_by_signal = 0, seeds = 0;
    const auto begun = real_seconds();
    const auto count = asked.listed.empty() ? asked.last - asked.first + 1 : asked.listed.size();
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto seed = asked.listed.empty() ? asked.first + i : asked.listed[i].seed;
        if (!asked.listed.empty()) only = asked.listed[i].kind;
        if (!run_seed(seed, people_made, asked.fault, *result)) ++ended_by_signal;
        all.add(result->went_through);
        ++seeds;
        if (asked.prints)
            std::printf("seed %llu: print %016llx\n", static_cast<unsigned long long>(seed),
                        static_cast<unsigned long long>(result->print));
        if (!result->good) {
            ++bad;
            std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), result->why);
        }
        if (asked.expect_bug && bad > 0) break;
        if (asked.within_s > 0 && seeds >= asked.at_least && real_seconds() - begun > asked.within_s) break;
    }
    std::printf("%llu seeds, %llu bad:", static_cast<unsigned long long>(seeds), static_cast<unsigned long long>(bad));
    bool idle = false;                               // a run in which something never happened says nothing about it
    bool beyond_plain = false;
    const auto* const counted = reinterpret_cast<const std::uint64_t*>(&all);
    for (std::size_t i = 0; i < std::size(tally_names); ++i) {
        std::printf(" %s %llu", tally_names[i], static_cast<unsigned long long>(counted[i]));
        const std::string_view name = tally_names[i];
        if (name == "with_relays" || name == "datagrams") beyond_plain = name == "with_relays";
        // Relays that were emptied before their time ran out are none the worse, and few answers to users are lost.
        const bool seldom = name == "emptied_by_time" || (only == stories::with_relays && name == "unknown");
        idle = idle || (counted[i] == 0 && !seldom && !(only == stories::plain && beyond_plain));
    }
    std::printf(" print %016llx\n", static_cast<unsigned long long>(result->print));
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
    // A planted fault is found by what became of the mails; a process that breaks down under it has found nothing.
    if (asked.expect_bug) return bad > 0 && ended_by_signal == 0 ? 0 : 1;
    constexpr std::uint64_t enough_seeds = 200;
    if (seeds >= enough_seeds && idle) std::printf("the run went through too little\n");
    return bad > 0 || (seeds >= enough_seeds && idle) ? 1 : 0;
}
