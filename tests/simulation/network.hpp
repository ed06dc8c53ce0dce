// The network between the simulated machines: TCP connections whose segments are delayed, lost and sent again, held
// back by partitions, cut at any byte, silent from one moment on, half open after a crash; datagrams that are lost,
// doubled and overtake each other. Below the calls of libc_sockets.cpp, so that the daemon's own sockets, TLS and links
// run on it.
#pragma once

#include "tests/simulation/descriptors.hpp"

#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <algorithm>

namespace pp::sim {

struct address {
    std::uint32_t host = 0;      // IPv4, 10.0.0.n
    std::uint16_t port = 0;
    auto operator<=>(const address&) const = default;
};

// What the network does to everything; a story changes it as it goes.
struct weather {
    nanoseconds delay = 20 * ms;         // one way, doubled by chance
    unsigned loss_percent = 0;           // of segments (they come late) and datagrams (they do not come)
    unsigned double_percent = 0;         // of datagrams
};

class tcp_socket : public descriptor {
public:
    using descriptor::descriptor;
    std::uint32_t ready() const override;
    void closed() override;

    // As the calls of the same names; errors as negative errno.
    int bind(address to);
    int listen();
    int accept(address& from);
    int connect(address to);
    ssize_t send(const void* data, std::size_t n);
    ssize_t receive(void* into, std::size_t n);
    void shut_down();                                  // of what we send
    int take_error() { return std::exchange(error_, 0); }
    void set_user_timeout(nanoseconds t) { patience_ = t; }

    address local, remote;
    bool connecting() const { return state_ == state::connecting; }
    bool connected() const { return state_ == state::connected; }

private:
    friend class network;
    enum class state { fresh, listening, connecting, connected, over };
    struct segment {
        std::string bytes;
        bool end = false;
    };
    void fail(int error);                              // nothing more comes or goes
    void say_hello(unsigned tries);
    void transmit(segment s);                          // to the peer
    void arrange_delivery();
    void deliver();
    std::size_t on_the_way() const { return in_flight_bytes_ + received_.size(); }

    state state_ = state::fresh;
    std::weak_ptr<tcp_socket> peer_;
    std::deque<std::shared_ptr<tcp_socket>> waiting_;  // of a listener
    std::deque<std::pair<nanoseconds, segment>> in_flight_;   // to us, in order
    std::size_t in_flight_bytes_ = 0;
    std::string received_;
    bool ended_ = false, sent_end_ = false;            // by them, by us
    bool program_closed_ = false, forgotten_ = false;  // forgotten: its machine has lost its power since
    bool delivery_arranged_ = false, stalled_ = false, silent_ = false;
    nanoseconds patience_ = 15 * minute;               // with what is not acknowledged
    std::uint64_t stalls_ = 0;
    int error_ = 0;
};

class udp_socket : public descriptor {
public:
    using descriptor::descriptor;
    std::uint32_t ready() const override { return EPOLLOUT | (received.empty() ? 0u : EPOLLIN); }
    void closed() override;
    address local;
    std::deque<std::pair<address, std::string>> received;
};

class network {
public:
    static network& the();
    void begin(std::uint64_t seed) { dice_ = dice(seed); }
    void add(host& h) { hosts_[h.address()] = &h; }
    weather now_like;
    std::uint64_t datagrams_come = 0;

    void part(const host& a, const host& b) { parted_.insert(pair_of(a, b)); }
    void heal(const host& a, const host& b);
    void heal_all();
    bool passes(const host& from, const host& to) const;
    // Power came back: what others send on old connections is answered with a reset.
    void rebooted(const host& h);
    void lost_power(const host& h);
    // Cuts one of the live connections between machines; false when there is none.
    bool cut_one();
    // A router forgets: what this machine has connected passes nothing any more, and nobody is told. False when there
    // was nothing.
    bool silence(const host& h);

    void open(udp_socket& s, address where);
    void send_datagram(udp_socket& from, address to, std::string_view bytes);
    nanoseconds travel(const host& from, const host& to);

private:
    friend class tcp_socket;
    friend class udp_socket;
    using pair = std::pair<int, int>;
    static pair pair_of(const host& a, const host& b) { return std::minmax(a.number, b.number); }
    host* find(std::uint32_t address) const;
    std::uint16_t free_port() { return static_cast<std::uint16_t>(32768 + next_port_++ % 28000); }
    void go_on();                                      // everything that was held back and may pass

    dice dice_{0};
    std::map<std::uint32_t, host*> hosts_;
    std::set<pair> parted_;
    std::map<address, tcp_socket*> listeners_;
    std::vector<std::weak_ptr<tcp_socket>> sockets_;
    std::vector<udp_socket*> datagrams_;
    unsigned next_port_ = 0;
};

}  // namespace pp::sim
