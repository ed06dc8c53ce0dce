// What a relay_home tells the owner of the slot when no mail can wait there: a mail in INBOX, in one write with the
// mark that she has it.
#include "daemon/net/relay_home.hpp"
#include "daemon/services/log.hpp"
#include "daemon/services/own_relays.hpp"
#include "daemon/services/standard_mailboxes.hpp"

#include <algorithm>

namespace pp::net {

awaitable<void> relay_home::learn() {
    const auto now = services::now_ms();
    const auto lesson = engine::learn(at_, tries_, now);
    if (lesson.after == at_) co_return;
    std::shared_ptr<storage::blob_writer> blob;
    if (lesson.tell != engine::relay_trouble::none) {
        const bool is_first = with_.node.accounts().front() == &mine_;
        auto notice = engine::relay_notice(lesson.after, lesson.tell, trouble_,
                                           is_first ? std::string_view() : mine_.label());
        notice.address = mine_.address();
        notice.name = mine_.name();
        notice.now = now;
        crypto::random_bytes(notice.dice);
        blob = std::make_shared<storage::blob_writer>(mine_.store().new_blob());
        const auto text = engine::notice_mail(notice);
        if (!blob->write(text) || !blob->finish()) co_return;   // no room: after the next try
    }
    auto written = commit(with_.node, mine_, [blob, relay = at_.relay, tell = lesson.tell, tries = tries_, now](
                                                 storage::write_txn& txn) -> result<void> {
        auto all = services::own_relays(txn);
        const auto known = std::ranges::find(all, relay, &engine::own_relay::relay);
        if (known == all.end()) return {};
        auto due = engine::learn(*known, tries, now);
        if (due.tell != tell) return {};                          // it was given anew meanwhile: after the next try
        *known = std::move(due.after);
        if (auto r = txn.put_setting(engine::own_relays_setting, engine::encode(all)); !r || !blob) return r;
        return services::file_in_inbox(txn, *blob, services::now_s());
    });
    const auto r = co_await std::move(written);
    if (!r) co_return;
    at_.away_since = lesson.after.away_since;
    at_.away_told = lesson.after.away_told;
    at_.refusal_told = lesson.after.refusal_told;
    if (blob) services::log(services::area::peer).info("event=user_told about=relay");
}

}  // namespace pp::net
