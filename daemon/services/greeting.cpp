#include "daemon/services/greeting.hpp"

#include "daemon/engine/vcard.hpp"
#include "daemon/engine/welcome.hpp"
#include "daemon/services/qr.hpp"
#include "daemon/services/standard_mailboxes.hpp"

namespace pp::services {

result<void> deliver_greeting(node& n, account& a, const std::string& invite_link) {
    engine::welcome w;
    w.address = a.address();
    w.name = a.name();
    w.invite_link = invite_link;
    w.qr_png = to_bytes(qr_png(invite_link));
    w.vcard = engine::vcard({a.name(), a.address(), invite_link});
    w.unix_seconds = now_s();
    crypto::random_bytes(w.dice);

    auto blob = std::make_shared<storage::blob_writer>(a.store().new_blob());
    if (auto r = blob->write(engine::welcome_mail(w)); !r) return r;
    if (auto r = blob->finish(); !r) return r;
    return n.write(a, [blob](storage::write_txn& txn) -> result<void> {
        auto box = standard_mailbox(txn, storage::special_use::none, inbox_name);
        if (!box) return box.error();
        storage::new_mail what;
        what.box = *box;
        what.internal_date = {now_s(), 0};
        auto placed = txn.add_mail(what, *blob);
        if (!placed) return placed.error();
        return {};
    });
}

}  // namespace pp::services
