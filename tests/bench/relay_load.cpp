// How fast a relay's store takes and gives: so many slots and notifications, in group commits of so many.
// A measurement, by hand, never a test:   relay_load [FOLDER [SLOTS [ITEMS]]]
// Everything is durable when it is counted. Proofs are counted in: one token check for each deposit, one signature for
// each poll.
#include "daemon/engine/relay_desk.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <unistd.h>

using namespace pp;
namespace rs = pp::storage::relay;

namespace {

constexpr std::int64_t now = 1767225600;

struct owner {
    crypto::signing_key key = crypto::signing_key::generate();
    relay::slot_key slot = *relay::slot_key::from(key.public_key());
    relay::slot_id id = relay::slot_id_of(slot);
    relay::token_key tokens = crypto::random<relay::token_key>();
};

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void must(const result<void>& r) {
    if (r) return;
    std::fprintf(stderr, "%s\n", r.error().message().c_str());
    std::exit(1);
}
void must_all(rs::relay_store& store, std::vector<rs::relay_store::job>& jobs) {
    for (const auto& r : store.write(jobs)) must(r);
    jobs.clear();
}

long resident_kib() {
    long pages = 0, resident = 0;
    if (auto* f = std::fopen("/proc/self/statm", "r")) {
        if (std::fscanf(f, "%ld %ld", &pages, &resident) != 2) resident = 0;
        std::fclose(f);
    }
    return resident * 4;
}

}  // namespace

int main(int argc, char** argv) {
    crypto::initialise();
    const auto folder =
        std::filesystem::path(argc > 1 ? argv[1] : "/tmp") / ("relay-load-" + std::to_string(::getpid()));
    const auto slots = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 10000;
    const auto items = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 100000;
    std::filesystem::create_directories(folder);
    rs::store_limits limits;
    limits.slots_max = static_cast<std::uint32_t>(slots);
    auto opened = rs::relay_store::open(folder, crypto::random<crypto::row_key>(), limits);
    if (!opened) {
        std::fprintf(stderr, "%s\n", opened.error().message().c_str());
        return 1;
    }
    auto& store = **opened;
    std::vector<owner> owners(slots);
    std::vector<rs::relay_store::job> jobs;

    auto start = std::chrono::steady_clock::now();
    for (const auto& o : owners) {
        rs::slot_opening opening;
        opening.slot = o.id.data;
        opening.key = o.slot.data;
        opening.tokens = o.tokens.data;
        opening.owner = to_bytes(o.slot.view());
        jobs.push_back([opening](rs::change& c) { return c.open_slot(opening, now); });
        if (jobs.size() == 64) must_all(store, jobs);
    }
    must_all(store, jobs);
    std::printf("opened     %8.0f slots/s\n", static_cast<double>(slots) / seconds_since(start));

    bool good = true;
    for (const std::size_t group : {std::size_t{1}, std::size_t{16}, std::size_t{256}}) {
        const auto n =
            group == 1 ? std::min<std::size_t>(items / 10, 2000) : items / 2 - (group == 16 ? 0 : items / 20);
        start = std::chrono::steady_clock::now();
        for (std::size_t i = 0; i < n; ++i) {
            const auto& o = owners[(i * 7919) % slots];
            relay::token_serial serial;
            crypto::random_bytes(serial.data);
            const auto token = relay::issue_token(o.id, o.tokens, serial, relay::week_of(now));
            good = good && relay::fits(token, o.id, o.tokens);
            bytes item(relay::item_bytes);
            crypto::random_bytes(item);
            jobs.push_back([slot = o.id.data, by = rs::payer{serial.data, now + relay::week_s},
                            item = std::move(item)](rs::change& c) -> result<void> {
                const auto r = c.deposit(slot, by, item, now);
                if (!r) return r.error();
                return {};
            });
            if (jobs.size() == group) must_all(store, jobs);
        }
        must_all(store, jobs);
        std::printf("deposited  %8.0f items/s in groups of %zu\n", static_cast<double>(n) / seconds_since(start),
                    group);
    }
    if (const auto s = store.status())
        std::printf("waiting    %8llu items in %llu slots\n", static_cast<unsigned long long>(s->items),
                    static_cast<unsigned long long>(s->slots));
    std::printf("resident   %8ld KiB (with the slots' keys of this program)\n", resident_kib());

    start = std::chrono::steady_clock::now();
    std::size_t empty = 0;
    for (const auto& o : owners) {
        const relay::array16 nonce{};
        relay::attach_request attach{o.slot, {}};
        const auto content = relay::signed_part(attach, {}, nonce);
        attach.sig = o.key.sign(content);
        good = good && crypto::verify(o.slot.view(), content, attach.sig) && store.slot(o.id.data)->has_value();
        empty += store.items(o.id.data, ~std::uint64_t{0} - 1, 32)->items.empty();
    }
    std::printf("polled     %8.0f empty polls/s (a signature made and checked each)\n",
                static_cast<double>(empty) / seconds_since(start));

    start = std::chrono::steady_clock::now();
    std::size_t taken = 0;
    for (const auto& o : owners) {
        auto list = store.items(o.id.data, 0, 32);
        std::vector<std::uint64_t> numbers;
        for (const auto& i : list->items) numbers.push_back(i.number);
        taken += numbers.size();
        jobs.push_back(
            [slot = o.id.data, numbers = std::move(numbers)](rs::change& c) { return c.erase_items(slot, numbers); });
        if (jobs.size() == 64) must_all(store, jobs);
    }
    must_all(store, jobs);
    std::printf("collected  %8.0f items/s, listed and erased, 64 owners a commit\n",
                static_cast<double>(taken) / seconds_since(start));
    std::filesystem::remove_all(folder);
    return good ? 0 : 1;
}
