#include "daemon/net/serve_smtp.hpp"

#include "daemon/engine/delivery.hpp"
#include "daemon/net/await.hpp"
#include "daemon/net/refusals.hpp"
#include "daemon/services/log.hpp"
#include "daemon/services/requests.hpp"
#include "daemon/services/standard_mailboxes.hpp"
#include "proto/sasl/plain.hpp"
#include "storage/txn.hpp"

#include <filesystem>

namespace pp::net {

namespace {

smtp::session_options smtp_options(const connection_context& c) {
    auto o = session_options_of<smtp::session_options>(c);
    o.size_max = c.node.configuration().limits.mail_bytes_max;
    o.hold_for_max_s = static_cast<std::uint64_t>(engine::hold_longest.count());
    o.hold_until_max = services::now_s() + engine::hold_longest.count();
    return o;
}

std::uint8_t notify_bits(const smtp::dsn_notify& n) {
    return static_cast<std::uint8_t>((n.never ? 1 : 0) | (n.success ? 2 : 0) | (n.failure ? 4 : 0) | (n.delay ? 8 : 0));
}

}  // namespace

smtp_connection::smtp_connection(any_stream stream, connection_context context)
    : client_connection(std::move(stream), context, smtp_options(context)) {}

smtp_connection::~smtp_connection() = default;

void smtp_connection::forget() {
    envelope_.reset();
}

awaitable<smtp::verdict> smtp_connection::on(smtp::login q) {
    account_ = co_await desk_.password(q.user, q.password);
    smtp::reply verdict{235, "2.7.0", "welcome"};
    if (!account_) verdict = {535, "5.7.8", std::string(sasl::refused_text)};
    co_return verdict;
}

awaitable<smtp::verdict> smtp_connection::on(smtp::start_tls) {
    co_await begin_tls();
    co_return smtp::accepted{};
}

awaitable<smtp::verdict> smtp_connection::on(smtp::mail_from q) {
    if (const auto no = engine::refuse_sender(q, account_->key())) co_return *no;
    std::error_code ignored;
    const auto space = std::filesystem::space(context_.node.home().root, ignored);
    if (!ignored && space.available < q.size_bytes.value_or(0) + context_.node.configuration().limits.reserve_bytes)
        co_return smtp_refusal(storage::errc::full);
    envelope_.emplace();
    envelope_->from = std::move(q);
    smtp::reply yes{250, "2.1.0", "sender ok"};
    co_return yes;
}

awaitable<smtp::verdict> smtp_connection::on(smtp::recipient q) {
    std::set<crypto::account_key> here;
    for (const auto* a : context_.node.accounts()) here.insert(a->key());
    const auto route = engine::route_to(q.to, here);
    if (const auto* no = std::get_if<smtp::reply>(&route)) co_return *no;
    const auto* local = std::get_if<engine::to_local>(&route);
    const auto account = local ? local->account : std::get<engine::to_peer>(route).account;
    const auto person = account_->store().read([&](const storage::read_txn& txn) { return txn.get_contact(account); });
    if (!person) co_return smtp_refusal(person.error());
    const bool is_first = context_.node.accounts().front() == account_;
    if (auto no = engine::refuse_recipient(*person, is_first ? std::string_view() : account_->label()))
        co_return std::move(*no);
    // Several addresses of one account are one recipient: she gets the mail once.
    for (auto& known : envelope_->recipients)
        if (known.account == account) {
            // Reports name the address whose sender wants them.
            const auto wanted = engine::told_of_either(known.asked.notify, q.notify);
            if (known.asked.notify.never) known.asked = std::move(q);
            known.asked.notify = wanted;
            smtp::reply same{250, "2.1.5", "recipient ok, the same account as another recipient"};
            co_return same;
        }
    envelope_->recipients.push_back({std::move(q), account});
    smtp::reply yes{250, "2.1.5", "recipient ok"};
    co_return yes;
}

awaitable<smtp::verdict> smtp_connection::on(smtp::body_begin) {
    envelope_->filter.emplace(account_->key());
    envelope_->blob.emplace(account_->store().new_blob());
    smtp::reply go{354, "", "send the mail; end it with a dot on a line of its own"};
    co_return go;
}

awaitable<smtp::verdict> smtp_connection::on(smtp::body_chunk q) {
    take(q.data);
    co_return smtp::accepted{};
}

void smtp_connection::take(bytes_view data) {
    auto& e = *envelope_;
    if (e.refused) return;   // the rest is read and dropped; the reply comes at the end
    e.filtered.clear();
    if (const auto no = e.filter->update(data, e.filtered)) {
        e.refused = *no;
    } else if (auto r = e.blob->write(e.filtered); !r) {
        e.refused = smtp_refusal(r.error());
    }
    if (e.refused) e.blob.reset();
}

awaitable<smtp::verdict> smtp_connection::on(smtp::body_end) {
    auto& e = *envelope_;
    if (!e.refused) {
        e.filtered.clear();
        if (const auto no = e.filter->finish(e.filtered))
            e.refused = *no;
        else if (auto r = e.blob->write(e.filtered); !r)
            e.refused = smtp_refusal(r.error());
    }
    if (e.refused) {
        auto no = *e.refused;
        envelope_.reset();
        co_return no;
    }
    auto blob = std::make_shared<storage::blob_writer>(std::move(*e.blob));
    const auto finished = co_await finish_blob(context_.workers, blob);
    if (!finished) {
        envelope_.reset();
        co_return smtp_refusal(finished.error());
    }
    auto job = submission_job(blob, e.filter->message_id(), e.filter->in_reply_to());
    envelope_.reset();
    auto written = commit(context_.node, *account_, std::move(job));
    const auto r = co_await std::move(written);
    if (!r) co_return smtp_refusal(r.error());
    services::log(services::area::smtp).info("connection={} event=submitted bytes={}", number_, blob->plain_bytes());
    context_.node.delivery_work(account_->label());
    smtp::reply yes{250, "2.0.0", "stored; it is on its way"};
    co_return yes;
}

// One write: the copy in Sent, the copy in INBOX when the sender is among the recipients, a row for everybody else.
services::store_writer::job smtp_connection::submission_job(std::shared_ptr<storage::blob_writer> blob,
                                                            std::string message_id, std::string answered) {
    auto from = std::move(envelope_->from);
    auto recipients = std::move(envelope_->recipients);
    const auto own = account_->key();
    const bool file_in_sent = context_.node.configuration().sent != services::sent_rule::client;
    const auto now = services::now_ms();
    storage::unix_ms hold_until = 0;
    if (from.hold_for_s) hold_until = now + static_cast<storage::unix_ms>(*from.hold_for_s) * 1000;
    if (from.hold_until) hold_until = *from.hold_until * 1000;
    if (hold_until <= now) hold_until = 0;   // RFC 4865 section 4: a moment that is past holds nothing
    storage::id16 submission;
    crypto::random_bytes(submission);
    std::vector<storage::outbox_row> rows;
    bool to_self = false;
    for (const auto& r : recipients) {
        // To oneself the copy in INBOX is made here and now, when there is nothing more to do about it.
        if (r.account == own && hold_until == 0 && !r.asked.notify.success) {
            to_self = true;
            continue;
        }
        storage::outbox_row row;
        crypto::random_bytes(row.id);
        crypto::random_bytes(row.notification);
        row.submission = submission;
        row.recipient = r.asked.to.text();
        row.account = r.account;
        row.message_id = message_id;
        row.orcpt = r.asked.orcpt;
        row.envid = from.envid;
        row.notify = notify_bits(r.asked.notify);
        // RFC 3461 section 4.1: nobody to tell
        if (!from.from) row.notify = notify_bits({.given = true, .never = true});
        row.ret = static_cast<std::uint8_t>(from.ret);
        row.submitted_at = row.state_since = row.next_attempt_at = now;
        row.hold_until = hold_until;
        if (hold_until > 0) row.next_attempt_at = hold_until;
        rows.push_back(std::move(row));
    }
    return [blob, rows = std::move(rows), to_self, file_in_sent, message_id = std::move(message_id),
            answered = std::move(answered), mine = account_, now](storage::write_txn& txn) -> result<void> {
        storage::new_mail what;
        what.internal_date = {now / 1000, 0};
        what.message_id = message_id;
        std::optional<std::uint64_t> serial;
        const auto place = [&](storage::mailbox_id box, bool seen) -> result<void> {
            what.box = box;
            what.flags.system = seen ? mail::seen : 0;
            auto placed = serial ? txn.add_copy(what, *serial) : txn.add_mail(what, *blob);
            if (!placed) return placed.error();
            serial = placed->mail_serial;
            return {};
        };
        for (const auto& row : rows)   // writing to somebody accepts her (01-product 1.5)
            if (auto r = services::accept_recipient(txn, *mine, row.account, answered); !r) return r;
        if (file_in_sent) {
            auto sent = services::standard_mailbox(txn, storage::special_use::sent, services::sent_name);
            if (!sent) return sent.error();
            if (auto r = place(*sent, true); !r) return r;
        }
        if (to_self) {
            auto inbox = txn.find_mailbox("INBOX");
            if (!inbox) return inbox.error();
            if (auto r = place((*inbox)->id, false); !r) return r;
        }
        // Without a copy anywhere the rows alone keep the blob (storage::no_mailbox).
        if (!serial)
            if (auto r = place(storage::no_mailbox, true); !r) return r;
        for (auto row : rows) {
            row.mail_serial = *serial;
            if (auto r = txn.put_outbox(row); !r) return r;
        }
        return {};
    };
}

awaitable<smtp::verdict> smtp_connection::on(smtp::body_abort) {
    envelope_.reset();
    co_return smtp::accepted{};
}

}  // namespace pp::net
