#include "proto/relay/server_session.hpp"

#include "crypto/assert.hpp"

#include <algorithm>

namespace pp::relay {
namespace {

bytes no(status why, std::uint32_t retry_after_s = 0) { return encode(refusal{why, retry_after_s}); }
bytes done_or(const outcome& o) { return o.what == status::ok ? encode(done_reply{}) : no(o.what, o.retry_after_s); }

}  // namespace

void server_session::requested(bytes message) {
    PP_ASSERT(!request_ && to_send().empty());
    request_ = std::move(message);
    news();
}

wire::task<> server_session::converse() {
    listen_to_news(true);
    for (;;) {
        if (request_) {
            auto message = std::move(*request_);
            request_.reset();
            const auto answer = co_await reply_to(std::move(message));
            send(answer);
            continue;
        }
        if (co_await more_input() == wire::woken::ended) co_return;
    }
}

wire::task<bytes> server_session::reply_to(bytes message) {
    auto decoded = decode_request(message);
    bytes().swap(message);
    if (!decoded) co_return no(status::bad_request);
    // Who guesses is stopped; an honest client has no proof that fails.
    if (failed_proofs_ >= failed_proofs_max) co_return no(status::refused);
    switch (operation_of(*decoded)) {
    case operation::info: co_return co_await on(std::get<info_request>(std::move(*decoded)));
    case operation::open: co_return co_await on(std::get<open_request>(std::move(*decoded)));
    case operation::attach: co_return co_await on(std::get<attach_request>(std::move(*decoded)));
    case operation::list: co_return co_await on(std::get<list_request>(std::move(*decoded)));
    case operation::erase: co_return co_await on(std::get<erase_request>(std::move(*decoded)));
    case operation::close: co_return co_await on(std::get<close_request>(std::move(*decoded)));
    case operation::deposit: co_return co_await on(std::get<deposit_request>(std::move(*decoded)));
    case operation::seed_begin: co_return co_await on(std::get<seed_begin_request>(std::move(*decoded)));
    case operation::seed_state: co_return co_await on(std::get<seed_state_request>(std::move(*decoded)));
    case operation::seed_delete: co_return co_await on(std::get<seed_delete_request>(std::move(*decoded)));
    case operation::reserve: co_return co_await on(std::get<reserve_request>(std::move(*decoded)));
    case operation::connect: co_return co_await on(std::get<connect_request>(std::move(*decoded)));
    case operation::seed_put: co_return co_await on(std::get<seed_put_request>(std::move(*decoded)));
    case operation::seed_get: co_return co_await on(std::get<seed_get_request>(std::move(*decoded)));
    case operation::news:
    case operation::incoming: break;
    }
    co_return no(status::bad_request);
}

bool server_session::is_attached(const slot_id& slot) const {
    return std::find(attached_.begin(), attached_.end(), slot) != attached_.end();
}

bytes server_session::wrong_proof() {
    ++failed_proofs_;
    return no(status::bad_proof);
}

// ---------------------------------------------------------------- slots
wire::task<bytes> server_session::on(info_request r) {
    auto out = options_.announced;
    out.nonce = options_.nonce;
    out.stranger_bits = work_closed;
    if (r.slot != slot_id{}) {
        slot_wanted question{r.slot};
        const auto facts = co_await ask(std::move(question));
        // an unknown slot looks like one that takes no strangers
        if (facts.found) out.stranger_bits = facts.stranger_bits;
    }
    co_return encode(out);
}

wire::task<bytes> server_session::on(open_request r) {
    if (!crypto::verify(r.key.view(), signed_part(r, options_.relay, options_.nonce), r.sig)) co_return wrong_proof();
    const auto id = slot_id_of(r.key);
    slot_wanted question{id};
    const auto facts = co_await ask(std::move(question));
    if (!facts.found) {
        may_open policy{r.invite};
        const auto allowed = co_await ask(std::move(policy));
        if (allowed.what == status::work_needed) {
            const auto bits = options_.announced.open_bits;
            if (bits == work_closed) co_return no(status::refused);
            const work task{options_.nonce, id, work_purpose::open, crypto::sha256(r.key.view()), bits};
            const bool worked = co_await check(task, r.solution);
            if (!worked) co_return no(status::work_needed);
        } else if (allowed.what != status::ok) {
            co_return no(allowed.what, allowed.retry_after_s);
        }
    }
    slot_open write{std::move(r), !facts.found};
    const auto written = co_await ask(std::move(write));
    co_return done_or(written);
}

wire::task<bytes> server_session::on(attach_request r) {
    if (!crypto::verify(r.key.view(), signed_part(r, options_.relay, options_.nonce), r.sig)) co_return wrong_proof();
    const auto id = slot_id_of(r.key);
    slot_wanted question{id};
    const auto facts = co_await ask(std::move(question));
    if (!facts.found) co_return no(status::no_slot);
    if (!is_attached(id)) {
        if (attached_.size() >= attached_slots_max) co_return no(status::busy);
        attached_.push_back(id);
    }
    co_return encode(attach_reply{facts.items, facts.seed_bytes});
}

wire::task<bytes> server_session::on(list_request r) {
    if (!is_attached(r.slot)) co_return no(status::not_attached);
    items_wanted question{r.slot, r.after, r.count};
    const auto items = co_await ask(std::move(question));
    co_return encode(items);
}

wire::task<bytes> server_session::on(erase_request r) {
    if (!is_attached(r.slot)) co_return no(status::not_attached);
    items_erase question{r.slot, std::move(r.numbers)};
    const auto erased = co_await ask(std::move(question));
    co_return done_or(erased);
}

wire::task<bytes> server_session::on(close_request r) {
    if (!is_attached(r.slot)) co_return no(status::not_attached);
    slot_close question{r.slot};
    const auto closed = co_await ask(std::move(question));
    if (closed.what == status::ok) std::erase(attached_, r.slot);
    co_return done_or(closed);
}

// ---------------------------------------------------------------- payment
wire::task<bool> server_session::check(work task, std::uint64_t solution) {
    work_check question{task, solution};
    const auto judged = co_await ask(std::move(question));
    if (!judged.good) ++failed_proofs_;
    co_return judged.good;
}

wire::task<server_session::paid> server_session::charge(slot_id slot, payment offered, work_purpose purpose,
                                                        crypto::hash256 content) {
    slot_wanted question{slot};
    const auto facts = co_await ask(std::move(question));
    paid out;
    if (!facts.found) {
        out.what = status::no_slot;
        co_return out;
    }
    if (const auto* token = std::get_if<delivery_token>(&offered)) {
        // A token of another time or of a key since replaced is no attack: work may do instead.
        if (!fits(*token, slot, facts.tokens) && !fits(*token, slot, facts.previous_tokens)) {
            ++failed_proofs_;
            out.what = status::work_needed;
        } else if (!in_time(*token, facts.now)) {
            out.what = status::work_needed;
        } else {
            out.what = status::ok;
            out.by = {token->serial, token->week};
        }
        co_return out;
    }
    if (facts.stranger_bits == work_closed) {
        out.what = status::refused;
        co_return out;
    }
    const work task{options_.nonce, slot, purpose, content, facts.stranger_bits};
    const bool worked = co_await check(task, std::get<work_payment>(offered).solution);
    out.what = worked ? status::ok : status::work_needed;
    co_return out;
}

wire::task<bytes> server_session::on(deposit_request r) {
    const auto content = crypto::sha256(r.item);
    const auto charged = co_await charge(r.slot, r.paid, work_purpose::item, content);
    if (charged.what != status::ok) co_return no(charged.what);
    item_deposit question{r.slot, charged.by, std::move(r.item)};
    const auto stored = co_await ask(std::move(question));
    co_return encode(stored);
}

// ---------------------------------------------------------------- seeds
wire::task<bytes> server_session::on(seed_begin_request r) {
    if (options_.announced.seed_total_max == 0) co_return no(status::refused);
    if (r.size_bytes > options_.announced.seed_bytes_max) co_return no(status::too_large);
    const auto content = crypto::sha256(r.where.view());
    const auto charged = co_await charge(r.slot, r.paid, work_purpose::seed, content);
    if (charged.what != status::ok) co_return no(charged.what);
    seed_begin question{r.slot, charged.by, r.where, r.size_bytes, r.deletion};
    const auto begun = co_await ask(std::move(question));
    co_return encode(begun);
}

wire::task<bytes> server_session::on(seed_state_request r) {
    seed_wanted question{r.where};
    const auto state = co_await ask(std::move(question));
    co_return encode(state);
}

wire::task<bytes> server_session::on(seed_put_request r) {
    seed_put question{std::move(r)};
    const auto state = co_await ask(std::move(question));
    co_return encode(state);
}

wire::task<bytes> server_session::on(seed_get_request r) {
    seed_get question{r};
    const auto piece = co_await ask(std::move(question));
    co_return encode(piece);
}

wire::task<bytes> server_session::on(seed_delete_request r) {
    seed_delete question{r.where, deletion_hash(r.secret)};
    const auto deleted = co_await ask(std::move(question));
    if (deleted.what == status::bad_proof) co_return wrong_proof();
    co_return done_or(deleted);
}

// ---------------------------------------------------------------- circuits
wire::task<bytes> server_session::on(reserve_request r) {
    if (options_.announced.reservation_s == 0) co_return no(status::refused);
    reserve question{std::min(r.ttl_s, options_.announced.reservation_s)};
    const auto reserved = co_await ask(std::move(question));
    co_return encode(reserved);
}

wire::task<bytes> server_session::on(connect_request r) {
    if (options_.announced.reservation_s == 0) co_return no(status::refused);
    circuit_wanted question{r.target, r.show_endpoint};
    const auto wanted = co_await ask(std::move(question));
    co_return encode(wanted);
}

}  // namespace pp::relay
