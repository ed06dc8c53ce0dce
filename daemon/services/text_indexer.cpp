#include "daemon/services/text_indexer.hpp"

#include "daemon/engine/mail_text.hpp"
#include "daemon/services/log.hpp"
#include "storage/text_builder.hpp"

#include <algorithm>

#ifdef __linux__
#include <malloc.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace pp::services {

namespace {

// Far behind every thread that somebody waits for, but not idle class: it takes locks for a moment, and a thread that
// gets no time at all would make others wait for it.
void lower_own_priority() {
#ifdef __linux__
    constexpr int background_nice = 19;
    // on Linux: of the thread
    (void)setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), background_nice);
#endif
}

// The memory of a segment under way goes back to the system, not into the next idle week.
void give_memory_back() {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

}  // namespace

text_indexer::text_indexer(store_writer& writer,
                           const std::vector<std::pair<std::string, storage::account_store*>>& accounts, times t)
    : writer_(writer), times_(t) {
    for (const auto& [label, store] : accounts) changed(label, *store);
    writer_.on_commit([this](const std::string& account, storage::account_store& store) { changed(account, store); });
    thread_ = std::thread([this] { run(); });
}

text_indexer::~text_indexer() {
    writer_.on_commit(nullptr);
    stopping_ = true;
    {
        const std::lock_guard lock(mutex_);   // not between the thread's look at stopping_ and its sleep
    }
    wake_.notify_all();
    thread_.join();
}

void text_indexer::changed(const std::string& account, storage::account_store& store) {
    const auto now = clock::now();
    const std::lock_guard lock(mutex_);
    auto& w = accounts_[&store];
    if (!w.waiting) {
        w.account = account;
        w.waiting = true;
        w.latest = now + times_.patience;
        wake_.notify_one();
    }
    w.due = std::min(now + times_.quiet, w.latest);
}

void text_indexer::run() {
    lower_own_priority();
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        auto next = accounts_.end();
        for (auto it = accounts_.begin(); it != accounts_.end(); ++it)
            if (it->second.waiting && (next == accounts_.end() || it->second.due < next->second.due)) next = it;
        if (next == accounts_.end()) {
            wake_.wait(lock);
            continue;
        }
        if (next->second.due > clock::now()) {
            wake_.wait_until(lock, next->second.due);
            continue;
        }
        auto* store = next->first;
        const auto account = next->second.account;
        next->second.waiting = false;
        lock.unlock();
        const bool done = catch_up(account, *store);
        give_memory_back();
        lock.lock();
        auto& w = accounts_[store];
        if (!done && !stopping_) {
            w.waiting = true;
            w.due = w.latest = clock::now() + times_.retry;
        }
    }
}

bool text_indexer::catch_up(const std::string& account, storage::account_store& store) {
    const auto stop = [this] { return stopping_.load(); };
    storage::text_builder builder(store.text(), {[&](std::uint64_t serial, storage::mail_trigrams& out) {
                                                     return engine::read_mail_text(store, serial, out, stop);
                                                 },
                                                 [this, &store](const storage::text_batch& batch) {
                                                     return writer_.run_when_idle(
                                                         store, [&] { return store.text().apply(batch); });
                                                 },
                                                 stop});
    for (;;) {
        const auto more = builder.step();
        if (!more) {
            if (!stopping_)
                log(area::store).warn("account={} event=text_index_waits reason={}", account.substr(0, 6),
                                      field(more.error().message()));
            return false;
        }
        if (!*more) return store.text().room_on_disk();
    }
}

}  // namespace pp::services
