// What the owner of a slot does at her relay once: opens it, closes it (proto/relay/SPEC.md, "Slots").
// One network thread.
#pragma once

#include "daemon/engine/fetch_end.hpp"
#include "daemon/net/links.hpp"
#include "daemon/net/relay_call.hpp"

namespace pp::net {

// Everything these need of the daemon.
struct relay_context {
    asio::io_context& io;
    services::node& node;
    asio::thread_pool& workers;
    links& peers;
};

std::vector<engine::endpoint> endpoints_of(const std::vector<std::string>& texts);   // those that can be read
// Those of somebody's record that may be dialled: she cannot make us call our own services.
std::vector<engine::endpoint> dialable(const services::account& mine, const std::vector<std::string>& texts);
// How others answer this account; nothing when it has no key to seal to.
std::optional<peer::return_path> way_to(const services::account& mine);
// True when the relay has it no more.
awaitable<bool> delete_seed(std::shared_ptr<relay_call> call, relay::locator where, relay::deletion_secret secret);
awaitable<engine::seed_fate> fate_of_seed(std::shared_ptr<relay_call> call, relay::locator where);
// The account itself on the link: where the relay's policy wants to know who opens a slot. The link there is between
// the two accounts, if any; null and why.
awaitable<std::shared_ptr<relay_call>> call_as_myself(relay_context& with, services::account& mine,
                                                      const engine::own_relay& at, std::string& why);

// Empty, or why it is not done: a sentence for people. Opening a slot that is there tells the relay its settings again.
awaitable<std::string> open_slot_at(relay_context& with, services::account& mine, engine::own_relay at);
awaitable<std::string> close_slot_at(relay_context& with, services::account& mine, engine::own_relay at);

}  // namespace pp::net
