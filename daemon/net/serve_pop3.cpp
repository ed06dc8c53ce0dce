#include "daemon/net/serve_pop3.hpp"

#include "daemon/net/await.hpp"
#include "daemon/services/log.hpp"
#include "daemon/services/standard_mailboxes.hpp"
#include "proto/pop3/limits.hpp"
#include "proto/sasl/plain.hpp"
#include "storage/txn.hpp"

namespace pp::net {

namespace {

constexpr std::size_t rows_per_read = 1024;

pop3::session_options pop3_options(const connection_context& c) {
    auto o = session_options_of<pop3::session_options>(c);
    o.server_version = PEERPOST_VERSION;
    return o;
}

// RFC 3206 section 4: a client goes on after TEMP by itself, after PERM somebody must look.
pop3::refusal refused(std::string_view area_text, error_code why) {
    if (why == storage::errc::not_found) return {"", "the message is gone: another mail client has deleted it"};
    const bool lasting = why == storage::errc::damaged;
    return {lasting ? "SYS/PERM" : "SYS/TEMP", std::string(area_text) + ": " + why.message()};
}

}  // namespace

pop3_connection::pop3_connection(any_stream stream, connection_context context)
    : client_connection(std::move(stream), context, pop3_options(context)) {}

pop3_connection::~pop3_connection() = default;

void pop3_connection::forget() {
    body_ = {};
}

awaitable<pop3::verdict> pop3_connection::on(pop3::login q) {
    account_ = co_await desk_.password(q.user, q.password);
    pop3::outcome<pop3::accepted> verdict(pop3::accepted{});
    if (!account_) verdict = pop3::refusal{"AUTH", std::string(sasl::refused_text)};
    co_return verdict;
}

awaitable<pop3::verdict> pop3_connection::on(pop3::start_tls) {
    co_await begin_tls();
    co_return pop3::accepted{};
}

// A large INBOX takes a while to be read: not on the network thread.
awaitable<pop3::verdict> pop3_connection::on(pop3::open_maildrop) {
    struct found {
        storage::mailbox_id box = 0;
        std::vector<pop3::maildrop_entry> mails;
    };
    auto read_all = [account = account_] {
        return account->store().read([](const storage::read_txn& txn) -> result<found> {
            auto box = txn.find_mailbox(services::inbox_name);
            if (!box) return box.error();
            if (!*box) return storage::errc::no_such_mailbox;
            found out;
            out.box = (*box)->id;
            std::uint32_t next = 1;
            while (out.mails.size() < pop3::maildrop_messages_max) {
                const auto limit = std::min(rows_per_read, pop3::maildrop_messages_max - out.mails.size());
                auto rows = txn.messages(out.box, next, limit);
                if (!rows) return rows.error();
                for (const auto& m : *rows) out.mails.push_back({m.uid, m.size_bytes, m.placement});
                if (rows->size() < limit) break;
                next = rows->back().uid + 1;
            }
            return out;
        });
    };
    auto answer = co_await offload(context_.workers, std::move(read_all));
    using outcome = pop3::outcome<std::vector<pop3::maildrop_entry>>;
    if (!answer) co_return outcome(refused("the maildrop cannot be read", answer.error()));
    inbox_ = answer->box;
    co_return outcome(std::move(answer->mails));
}

awaitable<pop3::verdict> pop3_connection::on(pop3::read_body q) {
    using outcome = pop3::outcome<bytes>;
    if (body_.uid != q.uid) {
        body_ = {};
        auto message =
            account_->store().read([&](const storage::read_txn& txn) { return txn.get_message(inbox_, q.uid); });
        if (!message) co_return outcome(refused("the message cannot be read", message.error()));
        if (!*message) co_return outcome(refused("", storage::errc::not_found));
        auto reader = account_->store().open_blob((*message)->mail_serial);
        if (!reader) co_return outcome(refused("the message cannot be read", reader.error()));
        body_ = {q.uid, (*message)->mail_serial, std::move(*reader)};
    }
    if (account_->is_damaged(body_.mail_serial, q.offset + q.length, q.transfer_end))
        co_return outcome(refused("the message cannot be read", storage::errc::damaged));
    bytes data(q.length);
    const auto n = body_.reader->read(q.offset, data);
    if (!n) {
        if (n.error() == storage::errc::damaged) account_->note_damaged(body_.mail_serial, q.offset);
        services::log(services::area::pop3).error("connection={} event=mail_unreadable reason={}", number_,
                                                  services::field(n.error().message()));
        body_ = {};
        co_return outcome(refused("the message cannot be read", n.error()));
    }
    data.resize(*n);
    co_return outcome(std::move(data));
}

awaitable<pop3::verdict> pop3_connection::on(pop3::update q) {
    const auto set_of = [](const std::vector<std::uint32_t>& uids) {
        mail::uid_set out;
        for (const auto uid : uids) out.add(uid);
        return out;
    };
    auto file_away = [inbox = inbox_, deleted = set_of(q.deleted),
                      seen = set_of(q.retrieved)](storage::write_txn& txn) -> result<void> {
        if (!deleted.empty()) {
            auto trash = services::standard_mailbox(txn, storage::special_use::trash, services::trash_name);
            if (!trash) return trash.error();
            auto moved = txn.copy(inbox, deleted, *trash, true);
            if (!moved) return moved.error();
        }
        if (!seen.empty()) {
            mail::flags flags;
            flags.system = mail::seen;
            mail::uid_set refused;
            auto changed =
                txn.change_flags(inbox, seen, storage::write_txn::flag_change::add, flags, std::nullopt, refused);
            if (!changed) return changed.error();
        }
        return {};
    };
    auto written = commit(context_.node, *account_, std::move(file_away));
    const auto r = co_await std::move(written);
    pop3::outcome<pop3::accepted> verdict(pop3::accepted{});
    if (!r) verdict = refused("the messages could not be deleted", r.error());
    co_return verdict;
}

}  // namespace pp::net
