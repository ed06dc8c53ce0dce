#include "tests/system/raw_link.hpp"

#include "crypto/certificate.hpp"
#include "proto/wire/byte_reader.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <ctime>

namespace pp::attack {
namespace {

constexpr std::size_t piece_bytes = 16 * 1024;

sockaddr_in loopback(const std::string& address, std::uint16_t port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(port);
    inet_pton(AF_INET, address.c_str(), &out.sin_addr);
    return out;
}

void use(SSL_CTX* context, const crypto::pem_pair& identity) {
    auto* certificate_bio =
        BIO_new_mem_buf(identity.certificate_pem.data(), static_cast<int>(identity.certificate_pem.size()));
    auto* key_bio = BIO_new_mem_buf(identity.private_key_pem.data(), static_cast<int>(identity.private_key_pem.size()));
    auto* certificate = PEM_read_bio_X509(certificate_bio, nullptr, nullptr, nullptr);
    auto* key = PEM_read_bio_PrivateKey(key_bio, nullptr, nullptr, nullptr);
    SSL_CTX_use_certificate(context, certificate);
    SSL_CTX_use_PrivateKey(context, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
    BIO_free(certificate_bio);
    BIO_free(key_bio);
}

bytes frame_of(peer::frame_type type, std::uint32_t stream, bytes_view payload = {}) {
    wire::byte_writer out;
    peer::put_frame(out, type, stream, payload);
    return out.take();
}

}  // namespace

// ---------------------------------------------------------------- the connection
std::unique_ptr<raw_link> raw_link::dial(const target& at, const how& odd) {
    std::unique_ptr<raw_link> link(new raw_link(at));
    if (!link->connect(odd) || (odd.says_hello && !link->greet(odd))) return nullptr;
    return link;
}

raw_link::~raw_link() {
    if (ssl_) SSL_free(ssl_);
    if (context_) SSL_CTX_free(context_);
    if (socket_ >= 0) close(socket_);
}

bool raw_link::connect(const how& odd) {
    socket_ = socket(AF_INET, SOCK_STREAM, 0);
    const auto from = loopback(odd.source, 0), to = loopback("127.0.0.1", at.port);
    if (odd.receive_buffer_bytes > 0)
        setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &odd.receive_buffer_bytes, sizeof odd.receive_buffer_bytes);
    const int yes = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (bind(socket_, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0) return false;
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) return false;
    const timeval limit{10, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    context_ = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(context_, TLS1_3_VERSION);
    std::string wire(1, static_cast<char>(odd.alpn.size()));
    wire += odd.alpn;
    SSL_CTX_set_alpn_protos(context_, reinterpret_cast<const unsigned char*>(wire.data()),
                            static_cast<unsigned>(wire.size()));
    device_ = crypto::signing_key::generate();
    if (odd.with_certificate) use(context_, *crypto::make_device_certificate(*device_));
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, socket_);
    if (SSL_connect(ssl_) != 1) return false;
    fcntl(socket_, F_SETFL, O_NONBLOCK);
    return true;
}

bool raw_link::greet(const how& odd) {
    const auto account = odd.account.empty() ? crypto::signing_key::generate() : account_named(odd.account);
    const auto drive = crypto::signing_key::generate();
    const auto tomorrow = std::time(nullptr) + 86400;
    peer::hello mine;
    mine.wanted = at.relay;
    mine.mine = peer::certify_device(account, *crypto::device_key::from(device_->public_key()),
                                     *crypto::drive_key::from(drive.public_key()), "", tomorrow);
    certificate_ = mine.mine;
    peer::account_record record;
    record.account = mine.mine.account;
    record.sequence = 1;
    if (odd.named_device) record.devices.push_back(mine.mine);
    peer::sign(record, account);
    mine.record = peer::encode(record);
    if (!send(frame_of(peer::frame_type::hello, 0, peer::encode(mine)))) return false;
    const auto theirs = read();
    return theirs && theirs->kind() == peer::frame_type::hello;
}

bool raw_link::wait(short events, steady::time_point until) const {
    const auto left = std::chrono::duration_cast<milliseconds>(until - steady::now()).count();
    pollfd one{socket_, events, 0};
    return left > 0 && poll(&one, 1, static_cast<int>(left)) > 0;
}

bool raw_link::send(bytes_view raw, milliseconds limit) {
    const auto until = steady::now() + limit;
    while (!raw.empty() && !over_) {
        const auto n = SSL_write(ssl_, raw.data(), static_cast<int>(std::min(raw.size(), piece_bytes)));
        if (n > 0) {
            raw = raw.subspan(static_cast<std::size_t>(n));
            continue;
        }
        const auto why = SSL_get_error(ssl_, n);
        if (why != SSL_ERROR_WANT_WRITE && why != SSL_ERROR_WANT_READ) over_ = true;
        else if (!wait(why == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN, until)) return false;
    }
    return !over_;
}

std::optional<told> raw_link::read(milliseconds limit) {
    const auto until = steady::now() + limit;
    std::array<std::byte, piece_bytes> room;
    for (;;) {
        if (const auto next = peer::next_frame(in_); next && *next) {
            told out{(*next)->type, (*next)->stream, to_bytes((*next)->payload)};
            in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>((*next)->wire_bytes()));
            return out;
        }
        if (over_) return std::nullopt;
        const auto n = SSL_read(ssl_, room.data(), static_cast<int>(room.size()));
        if (n > 0) {
            in_.insert(in_.end(), room.begin(), room.begin() + n);
            continue;
        }
        const auto why = SSL_get_error(ssl_, n);
        if (why != SSL_ERROR_WANT_WRITE && why != SSL_ERROR_WANT_READ) over_ = true;
        else if (!wait(POLLIN, until)) return std::nullopt;
    }
}

bool raw_link::is_ended(milliseconds limit) {
    const auto until = steady::now() + limit;
    while (!over_ && steady::now() < until) read(std::chrono::duration_cast<milliseconds>(until - steady::now()));
    return over_;
}

// ---------------------------------------------------------------- streams
std::uint32_t raw_link::open(std::string_view protocol) {
    const auto number = next_;
    next_ += 2;
    wire::byte_writer name;
    name.text8(protocol, 255);
    send(frame_of(peer::frame_type::open, number, name.view()));
    return number;
}

bool raw_link::data(std::uint32_t stream, bytes_view content) {
    while (!content.empty()) {
        const auto n = std::min(content.size(), piece_bytes);
        if (!send(frame_of(peer::frame_type::data, stream, content.first(n)))) return false;
        content = content.subspan(n);
    }
    return true;
}

bool raw_link::fin(std::uint32_t stream) { return send(frame_of(peer::frame_type::fin, stream)); }

std::uint32_t raw_link::request(std::string_view protocol, bytes_view message) {
    const auto stream = open(protocol);
    if (data(stream, message)) fin(stream);
    return stream;
}

void raw_link::take_push(std::uint32_t stream, bytes_view message) {
    if (answers) {
        data(stream, answers(protocols_[stream], message));
        fin(stream);
        protocols_.erase(stream);
        return;
    }
    const auto pushed = relay::decode_pushed(message);
    if (pushed && std::holds_alternative<relay::news_request>(*pushed)) ++news;
    if (pushed && std::holds_alternative<relay::incoming_request>(*pushed))
        called = std::get<relay::incoming_request>(*pushed);
    data(stream, relay::encode(relay::done_reply{}));
    fin(stream);
}

std::optional<bytes> raw_link::answer(std::uint32_t stream, milliseconds limit) {
    const auto until = steady::now() + limit;
    bytes collected;
    was_reset.reset();
    while (const auto f = read(std::chrono::duration_cast<milliseconds>(until - steady::now()))) {
        wire::byte_writer amount;
        switch (f->kind()) {
        case peer::frame_type::ping: send(frame_of(peer::frame_type::pong, 0, f->payload)); break;
        case peer::frame_type::open:
            if (answers) protocols_[f->stream] = wire::byte_reader(f->payload).text8(255);
            break;
        case peer::frame_type::data:
            amount.u32(static_cast<std::uint32_t>(f->payload.size()));
            send(frame_of(peer::frame_type::credit, 0, amount.view()));
            if (f->stream % 2 == 0)
                pushes_[f->stream].insert(pushes_[f->stream].end(), f->payload.begin(), f->payload.end());
            if (f->stream != stream) break;
            send(frame_of(peer::frame_type::credit, stream, amount.view()));
            collected.insert(collected.end(), f->payload.begin(), f->payload.end());
            break;
        case peer::frame_type::fin:
            if (f->stream == stream) return collected;
            if (const auto found = pushes_.find(f->stream); found != pushes_.end()) {
                take_push(f->stream, found->second);
                pushes_.erase(found);
                if (stream == 0) return bytes{};
            }
            break;
        case peer::frame_type::reset:
            if (f->stream != stream) break;
            was_reset = static_cast<peer::end_code>(wire::byte_reader(f->payload).u32());
            return std::nullopt;
        default: break;
        }
    }
    return std::nullopt;
}

relay::reply<relay::info_reply> raw_link::info(const relay::slot_id& slot) {
    auto reply = ask<relay::info_reply>(relay::info_request{slot});
    if (const auto* said = std::get_if<relay::info_reply>(&reply)) nonce = said->nonce;
    return reply;
}

// ---------------------------------------------------------------- slots
crypto::signing_key account_named(std::string_view name) {
    return crypto::signing_key(*crypto::ed25519_seed::from(crypto::sha256(as_bytes(name)).view()));
}

owner::owner(std::string_view name) : key(account_named(name)) {
    tokens.data = crypto::sha256(as_bytes(std::string(name) + " tokens")).data;
}

relay::delivery_token owner::token(std::string_view serial, int weeks_ahead) const {
    relay::token_serial s;
    const auto hash = crypto::sha256(as_bytes(serial));
    std::copy_n(hash.data.begin(), s.data.size(), s.data.begin());
    return relay::issue_token(id(), tokens, s,
                              static_cast<std::uint16_t>(relay::week_of(std::time(nullptr)) + weeks_ahead));
}

relay::status owner::open(raw_link& on, const relay::array16& invite, std::uint8_t stranger_bits,
                          std::optional<std::uint8_t> bits) const {
    relay::open_request r;
    r.key = slot();
    r.tokens = tokens;
    r.stranger_bits = stranger_bits;
    r.invite = invite;
    if (bits) {
        const relay::work task{on.nonce, id(), relay::work_purpose::open, crypto::sha256(r.key.view()), *bits};
        r.solution = *relay::solve(task, [] { return true; });
    }
    r.sig = key.sign(relay::signed_part(r, on.at.relay, on.nonce));
    return status_of(on.ask<relay::done_reply>(r));
}

relay::reply<relay::attach_reply> owner::attach(raw_link& on) const {
    relay::attach_request r{slot(), {}};
    r.sig = key.sign(relay::signed_part(r, on.at.relay, on.nonce));
    return on.ask<relay::attach_reply>(r);
}

bytes an_item(std::string_view text) {
    bytes out;
    for (std::uint8_t n = 0; out.size() < relay::item_bytes; ++n) {
        const auto piece = crypto::sha256(as_bytes(std::string(text) + static_cast<char>(n)));
        out.insert(out.end(), piece.data.begin(), piece.data.end());
    }
    return out;
}

relay::locator a_locator(std::string_view text) {
    relay::locator out;
    out.data = crypto::sha256(as_bytes(text)).data;
    return out;
}

}  // namespace pp::attack
