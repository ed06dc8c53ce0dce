#include "daemon/net/login_desk.hpp"

#include "crypto/scram.hpp"

namespace pp::net {

namespace {
constexpr auto login_failure_delay = std::chrono::seconds(2);   // slows guessing on that connection only
constexpr std::size_t server_nonce_bytes = 18;                  // 24 characters; RFC 5802 section 5.1: unpredictable
}  // namespace

login_desk::login_desk(services::node& node, any_stream& stream, services::area area, std::uint64_t number,
                       std::function<void()> authenticated)
    : node_(node), stream_(stream), area_(area), number_(number), authenticated_(std::move(authenticated)),
      pause_(stream.executor()) {}

awaitable<void> login_desk::settle(bool good) {
    if (good) {
        services::log(area_).debug("connection={} event=login", number_);
        if (authenticated_) authenticated_();
        co_return;
    }
    services::log(area_).warn("connection={} event=login_refused", number_);
    pause_.expires_after(login_failure_delay);
    auto [ec] = co_await pause_.async_wait(as_result);
    (void)ec;
}

awaitable<services::account*> login_desk::password(std::string_view user, std::string_view password) {
    auto* who = node_.log_in(user, password);
    co_await settle(who != nullptr);
    co_return who;
}

sasl::scram_terms login_desk::terms(const sasl::scram_begin& asked) const {
    std::array<std::byte, server_nonce_bytes> nonce;
    crypto::random_bytes(nonce);
    sasl::scram_terms out;
    out.server_nonce = crypto::base64(nonce);
    out.salt = node_.scram_salt(asked.user);
    out.iterations = crypto::scram_iterations;
    if (!asked.channel_binding.empty()) out.channel_binding = stream_.channel_binding(asked.channel_binding);
    return out;
}

awaitable<sasl::scram_verdict> login_desk::proof(sasl::scram_proof given, services::account*& who) {
    const auto login = node_.log_in_by_proof(given.user, given.auth_message, given.proof);
    who = login.who;
    co_await settle(who != nullptr);
    sasl::scram_verdict verdict;
    if (who) verdict.server_signature = login.server_signature;
    co_return verdict;
}

}  // namespace pp::net
