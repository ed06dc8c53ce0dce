// A letter and an introduced notification with fixed contents, for tests and vectors.
#pragma once

#include "proto/peer/letter.hpp"
#include "tests/proto/peer/people.hpp"

namespace people {

inline return_path way_to_alice() {
    return {7, crypto::prekey_of(alice().prekey), later,
            "peerpost:slot/"
            "AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g2sRQedub1iPW0gzLRSAJSgETcmVsYXkuZXhhbXBsZTo0MTQ0MzLy-Qs"};
}
inline letter some_letter() {
    letter l;
    token_grant grant{filled<account_key>(0x01), filled16(0x50), 2931, {}};
    grant.tokens.push_back(filled<crypto::hash256>(0x80).data);
    l.grants.push_back(grant);
    l.receipts.push_back(encode(make_receipt(mail_to_bob(), bob().certificate(), bob().device, now + 5)));
    l.refusals.push_back({filled16(0xa0), "too large"});
    l.ways.push_back(way_to_alice());
    return l;
}
inline sealed_letter letter_to_bob() { return {alice().address(), bob().address(), now, some_letter()}; }
inline notification introduced_mail() {
    auto n = mail_to_bob();
    auto& answer = n.answer.emplace();
    answer.way = way_to_alice();
    for (std::size_t i = 0; i < answer.token.size(); ++i) answer.token[i] = static_cast<std::byte>(0x10 + i);
    answer.invite = filled16(0x90);
    return n;
}

}  // namespace people
