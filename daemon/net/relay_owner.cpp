#include "daemon/net/relay_owner.hpp"

namespace pp::net {

namespace {

// What INFO says over this link; nothing when the link is lost or the relay refuses.
awaitable<std::optional<relay::info_reply>> info_of(std::shared_ptr<relay_call> call, relay::slot_id slot) {
    const relay::request asked = relay::info_request{slot};
    auto message = relay::encode(asked);
    const auto answer = co_await call->ask(relay::control_protocol, std::move(message));
    const auto reply = relay::reply_in<relay::info_reply>(answer);
    if (!reply || !std::holds_alternative<relay::info_reply>(*reply)) co_return std::nullopt;
    co_return std::get<relay::info_reply>(*reply);
}

awaitable<std::vector<std::uint64_t>> take_nothing(std::vector<relay::listed_item>) {
    co_return std::vector<std::uint64_t>{};
}
awaitable<bool> no_more(relay::round_over) { co_return false; }

std::string why_of(relay::ending how, const relay::refusal& why) {
    switch (how) {
    case relay::ending::done: return {};
    case relay::ending::refused: return "the relay " + engine::refusal_text(why);
    case relay::ending::unwilling:
        return "the relay asks for more work than this node does; ask its owner for a link with an invite";
    case relay::ending::lost: break;
    }
    return "the link to the relay was lost; try again";
}

}  // namespace

std::vector<engine::endpoint> endpoints_of(const std::vector<std::string>& texts) {
    std::vector<engine::endpoint> out;
    for (const auto& text : texts)
        if (auto e = engine::parse_endpoint(text)) out.push_back(std::move(*e));
    return out;
}

std::vector<engine::endpoint> dialable(const services::account& mine, const std::vector<std::string>& texts) {
    engine::known_endpoints known;
    known.record = texts;
    const auto own = mine.record().endpoints;
    const bool on_loopback = std::any_of(own.begin(), own.end(), [](const auto& text) {
        const auto e = engine::parse_endpoint(text);
        return e && engine::kind_of(e->host) == engine::address_kind::loopback;
    });
    return engine::candidates(known, on_loopback);
}

std::optional<peer::return_path> way_to(const services::account& mine) {
    const auto record = mine.record();
    if (record.prekeys.empty()) return std::nullopt;
    const auto& newest = record.prekeys.front();
    return peer::return_path{newest.id, newest.key, newest.not_after,
                             record.relays.empty() ? std::string() : record.relays.front()};
}

awaitable<bool> delete_seed(std::shared_ptr<relay_call> call, relay::locator where, relay::deletion_secret secret) {
    const relay::request asked = relay::seed_delete_request{where, secret};
    auto message = relay::encode(asked);
    const auto answer = co_await call->ask(relay::control_protocol, std::move(message));
    const auto reply = relay::reply_in<relay::done_reply>(answer);
    if (!reply) co_return false;
    const auto* no = std::get_if<relay::refusal>(&*reply);
    co_return !no || no->why == relay::status::not_found;
}

awaitable<engine::seed_fate> fate_of_seed(std::shared_ptr<relay_call> call, relay::locator where) {
    using engine::seed_fate;
    const relay::request asked = relay::seed_state_request{where};
    auto message = relay::encode(asked);
    const auto answer = co_await call->ask(relay::control_protocol, std::move(message));
    const auto reply = relay::reply_in<relay::seed_reply>(answer);
    if (!reply) co_return seed_fate::no_answer;
    if (const auto* seed = std::get_if<relay::seed_reply>(&*reply))
        co_return seed->phase == relay::seed_phase::deleted ? seed_fate::deleted : seed_fate::there;
    const auto* no = std::get_if<relay::refusal>(&*reply);
    co_return no && no->why == relay::status::not_found ? seed_fate::not_there : seed_fate::no_answer;
}

awaitable<std::shared_ptr<relay_call>> call_as_myself(relay_context& with, services::account& mine,
                                                      const engine::own_relay& at, std::string& why) {
    const auto endpoints = endpoints_of(at.endpoints);
    if (with.node.find_account(at.relay)) {   // this very node: its own links are not between two nodes
        relay_identity myself{with.node.device().clone(), mine.certificate(), peer::encode(mine.record())};
        auto call = co_await relay_call::dial(with.io, std::move(myself), at.relay, endpoints, why);
        co_return call;
    }
    // Between two accounts there is one link: that one is used, or made.
    auto link = with.peers.find(mine.key(), at.relay);
    if (!link && co_await with.peers.dial(mine, at.relay, endpoints, why)) link = with.peers.find(mine.key(), at.relay);
    if (!link) co_return nullptr;
    co_return relay_call::over(with.io, std::move(link));
}

awaitable<std::string> open_slot_at(relay_context& with, services::account& mine, engine::own_relay at) {
    std::string why;
    auto secrets = engine::slot_of(at, mine.identity());
    auto nobody = throw_away_identity(services::now_s());
    auto call = co_await relay_call::dial(with.io, std::move(nobody), at.relay, endpoints_of(at.endpoints), why);
    if (!call) co_return why;
    const auto info = co_await info_of(call, secrets.id());
    if (!info) {
        call->hang_up();
        co_return "the node there is no relay: its owner has to write [relay] serve = \"contacts\" "
                  "(or self, invited, open) into its peerpost.toml";
    }
    // Only where it matters does the relay learn who this is.
    if (info->policy == relay::serving::self || info->policy == relay::serving::contacts) {
        call->hang_up();
        call = co_await call_as_myself(with, mine, at, why);
        if (!call) co_return why;
    }
    relay::collect_options options{at.relay, secrets.key.clone(), secrets.tokens, secrets.previous_tokens};
    options.invite = at.invite;
    options.work_bits_max = engine::work_willing_bits;
    options.settings_changed = true;
    take_items take = take_nothing;
    wait_for_more wait = no_more;
    const auto over = co_await play(call, std::move(options), std::move(take), std::move(wait), with.workers);
    call->hang_up();
    co_return why_of(over.how, over.why);
}

awaitable<std::string> close_slot_at(relay_context& with, services::account& mine, engine::own_relay at) {
    std::string why;
    const auto secrets = engine::slot_of(at, mine.identity());
    auto nobody = throw_away_identity(services::now_s());
    const auto call = co_await relay_call::dial(with.io, std::move(nobody), at.relay, endpoints_of(at.endpoints), why);
    if (!call) co_return why;
    const auto info = co_await info_of(call, secrets.id());
    std::string failed = "the link to the relay was lost";
    if (info) {
        relay::attach_request attach;
        attach.key = secrets.public_key();
        attach.sig = secrets.key.sign(relay::signed_part(attach, at.relay, info->nonce));
        const relay::request first = std::move(attach), second = relay::close_request{secrets.id()};
        auto message = relay::encode(first);
        const auto attached = co_await call->ask(relay::control_protocol, std::move(message));
        auto closing = relay::encode(second);
        const auto closed = co_await call->ask(relay::control_protocol, std::move(closing));
        const auto owned = relay::reply_in<relay::attach_reply>(attached);
        const auto done = relay::reply_in<relay::done_reply>(closed);
        // A slot that is not there is closed.
        if (const auto* no = owned ? std::get_if<relay::refusal>(&*owned) : nullptr;
            no && no->why == relay::status::no_slot)
            failed.clear();
        else if (done)
            failed = std::holds_alternative<relay::done_reply>(*done)
                         ? std::string()
                         : "the relay " + engine::refusal_text(std::get<relay::refusal>(*done));
    }
    call->hang_up();
    co_return failed;
}

}  // namespace pp::net
