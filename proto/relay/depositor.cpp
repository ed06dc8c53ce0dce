#include "proto/relay/depositor.hpp"

#include "crypto/assert.hpp"

#include <algorithm>

namespace pp::relay {

wire::task<> depositor::converse() {
    co_await walk();
    deposit_over last = over_;
    co_await ask(std::move(last));
}

wire::task<> depositor::walk() {
    PP_ASSERT(o_.item.empty() || o_.item.size() == item_bytes);
    const request hello = info_request{o_.slot};
    auto question = question_of(hello);
    const auto answer = co_await ask(std::move(question));
    const auto reply = relay_met(answer);
    if (!reply) co_return;
    if (const auto* no = std::get_if<refusal>(&*reply)) {
        refused(*no);
        co_return;
    }
    info_ = std::get<info_reply>(*reply);
    if (o_.body) {
        auto went = step::again;
        while (went == step::again) went = co_await leave_seed();
        if (went == step::over) co_return;
    }
    if (!o_.item.empty()) {
        auto went = step::again;
        while (went == step::again) went = co_await leave_item();
        if (went == step::over) co_return;
    }
    over_.how = ending::done;
}

depositor::step depositor::refused(const refusal& why) {
    over_.how = ending::refused;
    over_.why = why;
    return step::over;
}

// The token was not taken, but work would be: once more with that.
depositor::step depositor::took_work_instead(const refusal& why) {
    const bool token = std::holds_alternative<delivery_token>(paid_);
    if (!token || (why.why != status::work_needed && why.why != status::token_spent)) return refused(why);
    token_refused_ = true;
    return step::again;
}

wire::task<depositor::step> depositor::get_payment(work_purpose purpose, crypto::hash256 content) {
    if (o_.token && !token_refused_) {
        paid_ = *o_.token;
        co_return step::good;
    }
    if (info_.stranger_bits == work_closed) co_return refused({status::refused, 0});
    over_.how = ending::unwilling;
    if (info_.stranger_bits > o_.work_bits_max) co_return step::over;
    work_wanted question{{info_.nonce, o_.slot, purpose, content, info_.stranger_bits}};
    const auto work = co_await ask(std::move(question));
    if (!work.solution) co_return step::over;
    over_.how = ending::lost;
    paid_ = work_payment{*work.solution};
    co_return step::good;
}

wire::task<depositor::step> depositor::leave_seed() {
    const auto size = seed_bytes(o_.body->content_bytes);
    if (size == 0 || size > info_.seed_bytes_max)
        co_return refused({info_.seed_total_max ? status::too_large : status::refused, 0});
    const auto payable = co_await get_payment(work_purpose::seed, crypto::sha256(o_.body->secrets.where.view()));
    if (payable != step::good) co_return payable;
    const request begin =
        seed_begin_request{o_.slot, paid_, o_.body->secrets.where, size, deletion_hash(o_.body->secrets.deletion)};
    auto question = question_of(begin);
    const auto answer = co_await ask(std::move(question));
    const auto reply = reply_in<seed_reply>(answer);
    if (!reply) co_return step::over;
    if (const auto* no = std::get_if<refusal>(&*reply)) co_return took_work_instead(*no);
    const auto state = std::get<seed_reply>(*reply);
    if (state.size_bytes != size) co_return step::over;   // not what was begun
    over_.begun = true;
    over_.seed_ttl_s = state.ttl_s;
    over_.fetched = state.phase == seed_phase::deleted;
    if (state.phase == seed_phase::partial) {
        const auto went = co_await upload(state.have_bytes);
        if (went != step::good) co_return went;
    }
    over_.seeded = true;
    co_return step::good;
}

wire::task<depositor::step> depositor::upload(std::uint64_t from) {
    const auto size = seed_bytes(o_.body->content_bytes);
    unsigned setbacks = 0;
    for (auto at = from; at < size;) {
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(piece_bytes_max, size - at));
        const auto inside = at < o_.body->content_bytes ? std::min<std::uint64_t>(n, o_.body->content_bytes - at) : 0;
        bytes piece;
        if (inside > 0) {
            seed_piece_wanted question{at, static_cast<std::size_t>(inside)};
            auto read = co_await ask(std::move(question));
            if (!read || read->size() != inside) co_return step::over;
            piece = std::move(*read);
        }
        piece.resize(n);   // padding: zeros, under the mask as everything
        crypto::mask_stream(o_.body->secrets.mask, at, piece);
        const request put = seed_put_request{o_.body->secrets.where, at, std::move(piece)};
        auto question = question_of(put);
        const auto answer = co_await ask(std::move(question));
        const auto reply = reply_in<seed_reply>(answer);
        if (!reply) co_return step::over;
        auto have = at;
        if (const auto* no = std::get_if<refusal>(&*reply)) {
            if (no->why != status::wrong_offset) co_return refused(*no);
            const request where = seed_state_request{o_.body->secrets.where};
            auto again = question_of(where);
            const auto told = co_await ask(std::move(again));
            const auto state = reply_in<seed_reply>(told);
            if (!state) co_return step::over;
            if (const auto* gone = std::get_if<refusal>(&*state)) co_return refused(*gone);
            have = std::get<seed_reply>(*state).have_bytes;
        } else {
            const auto& state = std::get<seed_reply>(*reply);
            if (state.phase == seed_phase::deleted) co_return step::good;
            have = state.have_bytes;
            over_.seed_ttl_s = state.ttl_s;
        }
        if (have > size) co_return step::over;
        if (have <= at && ++setbacks > setbacks_max) co_return step::over;
        over_.moved_bytes += have > at ? have - at : 0;
        at = have;
    }
    co_return step::good;
}

wire::task<depositor::step> depositor::leave_item() {
    const auto payable = co_await get_payment(work_purpose::item, crypto::sha256(o_.item));
    if (payable != step::good) co_return payable;
    const request deposit = deposit_request{o_.slot, paid_, o_.item};
    auto question = question_of(deposit);
    const auto answer = co_await ask(std::move(question));
    const auto reply = reply_in<deposit_reply>(answer);
    if (!reply) co_return step::over;
    if (const auto* no = std::get_if<refusal>(&*reply)) co_return took_work_instead(*no);
    over_.item_ttl_s = std::get<deposit_reply>(*reply).ttl_s;
    co_return step::good;
}

}  // namespace pp::relay
