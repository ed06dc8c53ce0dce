#include "proto/dht/write_tokens.hpp"

#include "proto/dht/limits.hpp"

namespace pp::dht {

static_assert(write_token::size_bytes == token_bytes);

void write_tokens::tick(dice& random, wire::time_point now) {
    // After a long sleep both are old: neither may live on.
    while (now - made_at_ >= token_secret_lifetime) {
        const bool long_ago = now - made_at_ >= 2 * token_secret_lifetime;
        secrets_[1] = long_ago ? random.next() : secrets_[0];
        secrets_[0] = random.next();
        made_at_ = long_ago ? now : made_at_ + token_secret_lifetime;
    }
}

write_token write_tokens::make(const crypto::hash256& secret, const endpoint& asker, const node_id& target) {
    auto content = to_bytes(asker.address_view());
    content.insert(content.end(), target.data.begin(), target.data.end());
    return *write_token::from(crypto::blake2b_keyed(secret.view(), content).view().first(token_bytes));
}

bool write_tokens::good(bytes_view token, const endpoint& asker, const node_id& target) const {
    bool out = false;
    for (const auto& secret : secrets_) out |= crypto::equal_constant_time(make(secret, asker, target).view(), token);
    return out;
}

}  // namespace pp::dht
