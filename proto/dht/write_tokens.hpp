// Tokens: who wants to store must have asked from the same address shortly before (BEP 5, BEP 44), so that nobody
// stores in the name of another address. A token is a keyed hash of address and target; nothing is kept per asker.
#pragma once

#include "proto/dht/dice.hpp"
#include "proto/dht/node_id.hpp"

#include "proto/wire/dialogue.hpp"

namespace pp::dht {

using write_token = crypto::fixed_bytes<struct write_token_tag, 8>;

class write_tokens {
public:
    write_tokens(dice& random, wire::time_point now) : secrets_{random.next(), random.next()}, made_at_(now) {}

    // A new secret each token_secret_lifetime; the one before it stays good.
    void tick(dice& random, wire::time_point now);
    write_token token_for(const endpoint& asker, const node_id& target) const {
        return make(secrets_[0], asker, target);
    }
    bool good(bytes_view token, const endpoint& asker, const node_id& target) const;

private:
    static write_token make(const crypto::hash256& secret, const endpoint&, const node_id&);
    std::array<crypto::hash256, 2> secrets_;
    wire::time_point made_at_;
};

}  // namespace pp::dht
