// A contact whose node keeps no rule: what an honest node would not let its user send. For
// tests/system/contact_attack_test.py. Blocking, loopback.
//
//   hostile_contact PORT INVITE mail FILE          this mail as it stands, whatever it says; small ones come along
//                                                  with the notification, others are fetched
//   hostile_contact PORT INVITE announce COUNT     so many mails that never come
//
// Uses the invite first: every run is the same account. Prints a line for each notification: status and reason.
#include "crypto/blob_cipher.hpp"
#include "proto/peer/letter.hpp"
#include "proto/peer/session.hpp"
#include "tests/system/raw_link.hpp"

#include <csignal>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <fstream>
#include <iostream>
#include <iterator>

using namespace pp;
using namespace pp::attack;

namespace {

constexpr std::string_view name = "hostile contact";
constexpr std::size_t asked_at_once = 32;

void must(bool good, const char* what) {
    if (good) return;
    std::cerr << "not as it should be: " << what << std::endl;
    std::_Exit(1);
}

struct blob {
    bytes header, cipher;
    std::vector<crypto::hash256> leaves;
    crypto::hash256 root;
    crypto::blob_id id;
    crypto::blob_key key = crypto::random<crypto::blob_key>();

    explicit blob(bytes_view plain) {
        crypto::blob_encryptor encryptor(key);
        encryptor.update(plain, cipher);
        encryptor.finish(cipher);
        header = to_bytes(bytes_view(encryptor.header()));
        leaves = encryptor.leaves();
        root = encryptor.root();
        id = encryptor.id();
    }
    bytes serve(bytes_view message) const {
        peer::fetch_reply r;
        const auto asked = peer::decode_fetch_request(message);
        if (asked && asked->blob == id && asked->first_chunk < leaves.size()) {
            r.found = true;
            r.header = header;
            r.cipher_bytes = cipher.size();
            r.root = root;
            const auto n = std::min<std::uint64_t>(asked->chunks, leaves.size() - asked->first_chunk);
            r.proof = crypto::merkle::tree(leaves).range_proof(asked->first_chunk, n);
            const auto from = static_cast<std::size_t>(asked->first_chunk * crypto::chunk_cipher_bytes);
            const auto to = std::min(cipher.size(), from + static_cast<std::size_t>(n) * crypto::chunk_cipher_bytes);
            r.data.assign(cipher.begin() + static_cast<std::ptrdiff_t>(from),
                          cipher.begin() + static_cast<std::ptrdiff_t>(to));
        }
        return peer::encode(r);
    }
};

struct contact {
    std::unique_ptr<raw_link> link;
    peer::account_record victim;

    peer::notification note() const {
        peer::notification n;
        crypto::random_bytes(n.id);
        n.sender = link->account();
        n.device = link->certificate();
        n.recipient = victim.account;
        n.submitted_at = std::time(nullptr);
        n.sender_local = "mail";
        n.recipient_local = "mail";
        return n;
    }
    std::uint32_t notify(const peer::notification& n, bytes ride_along = {}) const {
        peer::notify_request request;
        const auto& to = victim.prekeys.front();
        request.sealed = peer::seal_notification(n, account_named(name), to.id, to.key);
        request.ride_along = std::move(ride_along);
        return link->request(peer::notify_protocol, peer::encode(request));
    }
    peer::notify_reply answered(std::uint32_t stream) const {
        const auto raw = link->answer(stream, std::chrono::seconds(60));
        must(raw.has_value(), "a notification has no answer");
        auto reply = peer::decode_notify_reply(*raw);
        must(reply.has_value(), "the answer to a notification makes no sense");
        return std::move(*reply);
    }
};

void show(const peer::notify_reply& reply) {
    std::cout << static_cast<int>(reply.status) << " " << reply.reason << std::endl;
}

void mail(const contact& c, const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const blob whole(as_bytes(text));
    auto n = c.note();
    n.blob = whole.id;
    n.key = *crypto::blob_key::from(whole.key.view());
    n.plain_bytes = text.size();
    n.cipher_bytes = whole.cipher.size();
    std::string refusal;
    bool has_receipt = false;
    c.link->answers = [&](std::string_view protocol, bytes_view message) -> bytes {
        if (protocol == peer::drive_protocol) return whole.serve(message);
        if (protocol == peer::receipt_protocol) has_receipt = true;
        if (const auto told = peer::decode_letter(message); protocol == peer::letter_protocol && told)
            for (const auto& r : told->refusals) refusal = r.reason;
        return {};
    };
    bytes ride_along;
    if (whole.leaves.size() == 1) {
        ride_along = whole.header;
        ride_along.insert(ride_along.end(), whole.cipher.begin(), whole.cipher.end());
    }
    auto reply = c.answered(c.notify(n, std::move(ride_along)));
    show(reply);
    if (reply.status != peer::notify_status::fetching) return;
    const auto end = steady::now() + std::chrono::seconds(30);
    while (!has_receipt && refusal.empty() && steady::now() < end) (void)c.link->answer(0, milliseconds(200));
    must(has_receipt || !refusal.empty(), "what has become of the mail is not told");
    reply.status = has_receipt ? peer::notify_status::stored : peer::notify_status::refused;
    reply.reason = refusal;
    show(reply);
}

void announce(const contact& c, std::size_t count) {
    c.link->answers = [](std::string_view, bytes_view) { return peer::encode(peer::fetch_reply()); };
    std::deque<std::uint32_t> asked;
    for (std::size_t i = 0; i < count || !asked.empty();) {
        if (i < count && asked.size() < asked_at_once) {
            auto n = c.note();
            crypto::random_bytes(n.blob.data);
            n.key = crypto::random<crypto::blob_key>();
            n.plain_bytes = 1000;
            n.cipher_bytes = crypto::cipher_bytes(crypto::padded_bytes(n.plain_bytes));
            asked.push_back(c.notify(n));
            ++i;
            continue;
        }
        show(c.answered(asked.front()));
        asked.pop_front();
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) return 2;
    crypto::initialise();
    std::signal(SIGPIPE, SIG_IGN);
    const auto invite = peer::decode_link(argv[2]);
    must(invite.has_value(), "the invite");
    const target at{static_cast<std::uint16_t>(std::stoul(argv[1])), invite->record.account};
    how odd;
    odd.account = name;
    contact c{raw_link::dial(at, odd), invite->record};
    must(c.link != nullptr, "the link");
    const auto known =
        c.link->answer(c.link->request(peer::contact_protocol, peer::encode(peer::contact_request{invite->token})));
    must(known && peer::decode_contact_reply(*known)->status == peer::contact_status::accepted, "the invite's answer");
    if (std::string(argv[3]) == "mail") mail(c, argv[4]);
    else announce(c, std::stoul(argv[4]));
    return 0;
}
