#include "daemon/net/fetch_blob.hpp"

#include "daemon/engine/fetch_plan.hpp"

#include <algorithm>

namespace pp::net {

awaitable<result<void>> fetch_blob(std::shared_ptr<peer_link> link, std::shared_ptr<const peer::notification> note,
                                   std::shared_ptr<incoming_blob> into, fetch_terms terms) {
    engine::fetch_plan plan(note->blob, note->cipher_bytes, into->whole_chunks(), terms.first_range);
    if (plan.must_restart()) {
        if (auto r = into->restart(); !r) co_return r;
        plan = engine::fetch_plan(note->blob, note->cipher_bytes, 0, terms.first_range);
    }
    for (bool first = true; const auto asked = plan.next(); first = false) {
        if (!first)
            if (auto r = terms.may_go_on(); !r) co_return r;
        auto message = peer::encode(*asked);
        auto answer = co_await link->ask(peer::drive_protocol, std::move(message), plan.answer_bytes_max(*asked));
        if (!answer) co_return answer.error();
        auto reply = peer::decode_fetch_reply(*answer);
        if (!reply) co_return reply.error();
        auto step = plan.accept(*asked, std::move(*reply));
        switch (step.what) {
        case engine::fetch_step::kind::keep:
            if (step.chunks.empty()) break;
            if (auto r = terms.may_keep(step.chunks.size()); !r) co_return r;
            if (auto r = into->append(std::move(step.chunks)); !r) co_return r;
            break;
        case engine::fetch_step::kind::restart:
            if (auto r = into->restart(); !r) co_return r;
            break;
        case engine::fetch_step::kind::gone: co_return storage::errc::not_found;
        case engine::fetch_step::kind::withdrawn: co_return peer::errc::withdrawn;
        case engine::fetch_step::kind::wrong: co_return peer::errc::bad_proof;
        }
    }
    if (!plan.header()) co_return peer::errc::bad_message;
    into->header = *plan.header();
    co_return result<void>();
}

result<std::optional<peer::fetch_reply>> range_of(storage::cipher_reader& reader, const peer::fetch_request& request) {
    if (request.first_chunk >= reader.chunks()) return std::optional<peer::fetch_reply>();
    const auto n = std::min<std::uint64_t>(request.chunks, reader.chunks() - request.first_chunk);
    auto data = reader.read_chunks(request.first_chunk, n);
    if (!data) return data.error();
    auto proof = reader.range_proof(request.first_chunk, n);
    if (!proof) return proof.error();
    peer::fetch_reply reply;
    reply.found = true;
    reply.header.assign(reader.header().begin(), reader.header().end());
    reply.cipher_bytes = reader.cipher_bytes();
    reply.root = reader.root();
    reply.proof = std::move(*proof);
    reply.data = std::move(*data);
    return std::optional<peer::fetch_reply>(std::move(reply));
}

}  // namespace pp::net
