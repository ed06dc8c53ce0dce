// Faults put in on purpose: functions of the daemon that the linker replaces (--wrap in tests/CMakeLists.txt) by ones
// that do wrong when asked to. Each must be found within a few hundred seeds; tests/CMakeLists.txt runs them.
#include "daemon/engine/delivery_report.hpp"
#include "daemon/net/relay_inbox.hpp"
#include "storage/account_store.hpp"
#include "storage/queries.hpp"
#include "storage/relay/relay_store.hpp"
#include "tests/simulation/story.hpp"

#include <cstdio>
#include <cstdlib>
#include <map>

#define SEEN "_ZN2pp7storage7queries17notification_seenERKNS0_4rowsERKNS_6crypto11fixed_bytesINS5_15account_key_tagELm32EEERKSt5arrayISt4byteLm16EE"
#define OPEN_IDS "_ZN2pp7storage7queries15open_outbox_idsERKNS0_4rowsE"
#define WRITE "_ZN2pp7storage13account_store5writeESt4spanISt8functionIFN5boost6system6resultIvNS5_10error_codeEEERNS0_9write_txnEEELm18446744073709551615EE"
#define REPORT_DUE "_ZN2pp6engine10report_dueERKNS_7storage10outbox_rowES4_"
#define RELAY_WRITE "_ZN2pp7storage5relay11relay_store5writeESt4spanIKSt8functionIFN5boost6system6resultIvNS6_10error_codeEEERNS1_6changeEEELm18446744073709551615EE"
#define RELAY_DEPOSIT "_ZN2pp7storage5relay6change7depositERKSt5arrayISt4byteLm16EERKNS1_5payerESt4spanIKS4_Lm18446744073709551615EEl"
#define TAKE "_ZN2pp3net11relay_inbox4takeERNS_8services7accountESt6vectorINS_5relay11listed_itemESaIS7_EE"

namespace pp::sim {

plant planted = plant::none;

plant plant_of(std::string_view name) {
    if (name == "nothing") return plant::nothing;
    if (name == "early_answer") return plant::early_answer;
    if (name == "forgotten_row") return plant::forgotten_row;
    if (name == "replay") return plant::replay;
    if (name == "lost_report") return plant::lost_report;
    if (name == "early_deposit") return plant::early_deposit;
    if (name == "forgotten_item") return plant::forgotten_item;
    if (name == "early_collect") return plant::early_collect;
    std::fprintf(stderr, "no such fault\n");
    std::exit(64);
}

namespace {
dice chance(7);
}

void plant_by(std::uint64_t seed) { chance = dice(seed ^ 0x91a27ed); }

// Who has had a mail before gets it again.
result<bool> seen_behind(const storage::rows&, const crypto::account_key&, const storage::id16&) asm("__real_" SEEN);
result<bool> seen(const storage::rows&, const crypto::account_key&, const storage::id16&) asm("__wrap_" SEEN);
result<bool> seen(const storage::rows& r, const crypto::account_key& sender, const storage::id16& notification) {
    if (planted == plant::replay && scheduler::self()) return false;
    return seen_behind(r, sender, notification);
}

// After a restart one open row is overlooked.
using open_ids = result<std::vector<storage::id16>>;
open_ids open_outbox_ids_behind(const storage::rows&) asm("__real_" OPEN_IDS);
open_ids open_outbox_ids(const storage::rows&) asm("__wrap_" OPEN_IDS);
open_ids open_outbox_ids(const storage::rows& r) {
    auto all = open_outbox_ids_behind(r);
    const auto* me = scheduler::self();
    if (planted != plant::forgotten_row || !me || !all || me->on->starts < 2) return all;
    static std::map<int, storage::id16> overlooked;
    if (!all->empty()) overlooked.emplace(me->on->number, all->front());
    const auto which = overlooked.find(me->on->number);
    if (which != overlooked.end()) std::erase(*all, which->second);
    return all;
}

// The answer is given before the commit, and the power goes in between.
using results = std::vector<result<void>>;
using jobs = std::span<storage::account_store::job>;
results write_behind(storage::account_store*, jobs) asm("__real_" WRITE);
results write(storage::account_store*, jobs) asm("__wrap_" WRITE);
results write(storage::account_store* store, jobs group) {
    auto* me = scheduler::self();
    if (planted != plant::early_answer || !me || me->on->number == 0 || !chance.chance(5))
        return write_behind(store, group);
    me->on->dies_at_write = me->on->writes + 1;
    return results(group.size());
}

// Nobody is told of a failure.
using due = std::optional<engine::report_kind>;
due report_due_behind(const storage::outbox_row&, const storage::outbox_row&) asm("__real_" REPORT_DUE);
due report_due(const storage::outbox_row&, const storage::outbox_row&) asm("__wrap_" REPORT_DUE);
due report_due(const storage::outbox_row& before, const storage::outbox_row& after) {
    const auto kind = report_due_behind(before, after);
    if (planted == plant::lost_report && kind == engine::report_kind::failed) return std::nullopt;
    return kind;
}

// A relay says that it has what it is given, and its power goes before the commit.
using relay_jobs = std::span<const storage::relay::relay_store::job>;
results relay_write_behind(storage::relay::relay_store*, relay_jobs) asm("__real_" RELAY_WRITE);
results relay_write(storage::relay::relay_store*, relay_jobs) asm("__wrap_" RELAY_WRITE);
results relay_write(storage::relay::relay_store* store, relay_jobs group) {
    auto* me = scheduler::self();
    if (planted != plant::early_deposit || !me || me->on->number == 0 || group.empty() || !chance.chance(10))
        return relay_write_behind(store, group);
    me->on->dies_at_write = me->on->writes + 1;
    return results(group.size());
}

// A relay keeps the mail and loses the notification.
using deposit_result = result<storage::relay::deposited>;
deposit_result deposit_behind(storage::relay::change*, const storage::id16&, const storage::relay::payer&, bytes_view,
                              std::int64_t) asm("__real_" RELAY_DEPOSIT);
deposit_result deposit(storage::relay::change*, const storage::id16&, const storage::relay::payer&, bytes_view,
                       std::int64_t) asm("__wrap_" RELAY_DEPOSIT);
deposit_result deposit(storage::relay::change* c, const storage::id16& slot, const storage::relay::payer& by,
                       bytes_view item, std::int64_t now) {
    if (planted != plant::forgotten_item || !chance.chance(10)) return deposit_behind(c, slot, by, item, now);
    return storage::relay::deposited{30 * 86400, true};
}

// The recipient lets a relay delete what she has not committed, and her power goes.
using taken = net::awaitable<std::vector<std::uint64_t>>;
taken take_behind(net::relay_inbox*, services::account&, std::vector<relay::listed_item>) asm("__real_" TAKE);
taken take(net::relay_inbox*, services::account&, std::vector<relay::listed_item>) asm("__wrap_" TAKE);
taken say(std::vector<std::uint64_t> numbers) { co_return numbers; }
taken take(net::relay_inbox* inbox, services::account& mine, std::vector<relay::listed_item> items) {
    auto* me = scheduler::self();
    if (planted != plant::early_collect || !me || items.empty() || !chance.chance(30))
        return take_behind(inbox, mine, std::move(items));
    me->on->dies_at_write = me->on->writes + 1;
    std::vector<std::uint64_t> numbers;
    for (const auto& item : items) numbers.push_back(item.number);
    return say(std::move(numbers));
}

}  // namespace pp::sim
