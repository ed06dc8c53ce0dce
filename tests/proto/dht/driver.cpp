// One node of ours on UDP sockets, spoken to over standard input and output: what tests/system/dht_libtorrent_test.py
// drives against nodes of libtorrent. Blocking, one thread, loopback; the daemon has its own service.
//
//   dht_driver LISTEN [reachable] [BOOTSTRAP ...]          LISTEN, BOOTSTRAP: 127.0.1.7:6881
//   in:   put SEED-HEX SALT-TEXT SEQUENCE VALUE-TEXT       out:  put REPLICAS OUTDATED RETRY(0|1)
//         get KEY-HEX SALT-TEXT                                  got SEQUENCE COPIES BENCODED-VALUE-HEX | none ANSWERS
//         key SEED-HEX -                                         key KEY-HEX
//         status                                                 nodes KNOWN stored ITEMS
//   SALT-TEXT "-" is the empty salt. The end of the input ends the program.
#include "proto/dht/node.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <iostream>
#include <sstream>

using namespace pp;
using namespace pp::dht;

namespace {

sockaddr_in to_socket(const endpoint& e) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(e.port);
    std::memcpy(&out.sin_addr, e.address.data(), 4);
    return out;
}

endpoint from_socket(const sockaddr_in& in) {
    endpoint out;
    out.port = ntohs(in.sin_port);
    std::memcpy(out.address.data(), &in.sin_addr, 4);
    return out;
}

endpoint need_endpoint(const char* text) {
    const auto out = parse_endpoint(text);
    if (!out) {
        std::cerr << "dht_driver: no address: " << text << "\n";
        std::exit(2);
    }
    return *out;
}

class driver {
public:
    driver(const endpoint& listen, bool reachable) : machine_(settings(reachable), now()) {
        socket_ = socket(AF_INET, SOCK_DGRAM, 0);
        const auto address = to_socket(listen);
        if (socket_ < 0 || bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            std::cerr << "dht_driver: cannot listen\n";
            std::exit(2);
        }
    }
    node& machine() { return machine_; }

    void run() {
        bool open = true;
        while (open) {
            flush();
            int wait_ms = 1000;
            if (const auto at = machine_.deadline())
                wait_ms = static_cast<int>(std::clamp<std::int64_t>(
                    std::chrono::duration_cast<milliseconds>(*at - now()).count() + 1, 0, 1000));
            pollfd ready[] = {{socket_, POLLIN, 0}, {0, POLLIN, 0}};
            if (poll(ready, 2, wait_ms) < 0) break;
            if (ready[0].revents & POLLIN) receive();
            if (ready[1].revents & (POLLIN | POLLHUP)) open = read_commands();
            if (const auto at = machine_.deadline(); at && now() >= *at) machine_.tick(now());
        }
    }

private:
    static time_point now() { return std::chrono::steady_clock::now(); }
    static node::settings settings(bool reachable) {
        node::settings out;
        out.kind = network::closed;
        out.reachable = reachable;
        out.seed = crypto::random<dice_seed>();
        return out;
    }

    void receive() {
        std::byte buffer[datagram_bytes_max + 1];
        sockaddr_in from{};
        socklen_t size = sizeof from;
        const auto n =
            recvfrom(socket_, buffer, sizeof buffer, MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&from), &size);
        if (n >= 0) machine_.received(from_socket(from), bytes_view(buffer, static_cast<std::size_t>(n)), now());
    }

    bool read_commands() {
        char buffer[4096];
        const auto n = read(0, buffer, sizeof buffer);
        if (n <= 0) return false;
        input_.append(buffer, static_cast<std::size_t>(n));
        for (auto end = input_.find('\n'); end != input_.npos; end = input_.find('\n')) {
            command(input_.substr(0, end));
            input_.erase(0, end + 1);
        }
        return true;
    }

    void command(const std::string& line) {
        std::istringstream words(line);
        std::string verb, key, salt, value;
        std::int64_t sequence = 0;
        words >> verb;
        if (verb == "status") {
            std::cout << "nodes " << machine_.known_nodes(family::ipv4) << " stored " << machine_.stored_items()
                      << std::endl;
            return;
        }
        words >> key >> salt;
        if (salt == "-") salt.clear();
        const auto raw = crypto::from_hex(key);
        if (!raw || raw->size() != 32) return refuse("bad key");
        if (verb == "key") {
            const crypto::signing_key signer(*crypto::ed25519_seed::from(*raw));
            std::cout << "key " << crypto::hex(signer.public_key()) << std::endl;
        } else if (verb == "get") {
            if (!machine_.get(*item_key::from(*raw), as_bytes(salt), now())) refuse("get");
        } else if (verb == "put") {
            words >> sequence >> value;
            const crypto::signing_key signer(*crypto::ed25519_seed::from(*raw));
            mutable_item item;
            item.key = *item_key::from(signer.public_key());
            item.salt = to_bytes(salt);
            item.sequence = sequence;
            item.value = bencode_writer().text(value).take();
            item.sig = signer.sign(signed_part(item.salt, sequence, item.value));
            if (!machine_.put(item, std::nullopt, now())) refuse("put");
        } else {
            refuse("unknown command");
        }
    }
    void refuse(const char* why) { std::cout << "error " << why << std::endl; }

    void flush() {
        while (const auto d = machine_.next_datagram()) {
            const auto to = to_socket(d->to);
            // A full socket loses it, as a network may.
            (void)!sendto(socket_, d->data.data(), d->data.size(), MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&to),
                          sizeof to);
        }
        while (const auto e = machine_.next_event()) {
            if (const auto* put = std::get_if<put_finished>(&*e)) {
                std::cout << "put " << put->replicas << " " << put->outdated << " " << put->retry_in.has_value()
                          << std::endl;
            } else if (const auto* got = std::get_if<get_finished>(&*e)) {
                if (got->item)
                    std::cout << "got " << got->item->sequence << " " << got->copies << " "
                              << crypto::hex(got->item->value) << std::endl;
                else
                    std::cout << "none " << got->answers << std::endl;
            }
        }
    }

    node machine_;
    int socket_ = -1;
    std::string input_;
};

}  // namespace

int main(int argc, char** argv) {
    crypto::initialise();
    if (argc < 2) return 2;
    int at = 2;
    const bool reachable = argc > at && std::string_view(argv[at]) == "reachable";
    at += reachable;
    driver d(need_endpoint(argv[1]), reachable);
    for (; at < argc; ++at) d.machine().add_bootstrap(need_endpoint(argv[at]));
    d.run();
}
