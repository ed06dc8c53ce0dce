// Sockets, polls and events of the C library, simulated (network.hpp). What the daemon's threads open is simulated;
// descriptors of real files go to the real calls.
#include "tests/simulation/network.hpp"
#include "tests/simulation/real.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <new>

using namespace pp::sim;

namespace {

bool is_ours(int fd) { return fd >= first_descriptor; }

template <class T>
std::shared_ptr<T> get(int fd) {
    auto d = descriptor_table::the().find<T>(fd);
    if (!d) errno = EBADF;
    return d;
}

template <class N>
N told(N n) {   // negative errno to what the caller of libc expects
    if (n >= 0) return n;
    errno = static_cast<int>(-n);
    return -1;
}

address from_sockaddr(const sockaddr* a) {
    sockaddr_in in{};
    std::memcpy(&in, a, sizeof in);
    return {ntohl(in.sin_addr.s_addr), ntohs(in.sin_port)};
}
void to_sockaddr(address a, void* out, socklen_t* length) {
    if (!out || !length) return;
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_addr.s_addr = htonl(a.host);
    in.sin_port = htons(a.port);
    std::memcpy(out, &in, std::min<std::size_t>(sizeof in, *length));
    *length = sizeof in;
}

ssize_t gather(int fd, const msghdr* m) {
    std::string all;
    for (std::size_t i = 0; i < m->msg_iovlen; ++i)
        all.append(static_cast<const char*>(m->msg_iov[i].iov_base), m->msg_iov[i].iov_len);
    if (const auto u = descriptor_table::the().find<udp_socket>(fd)) {
        network::the().send_datagram(*u, from_sockaddr(static_cast<const sockaddr*>(m->msg_name)), all);
        return static_cast<ssize_t>(all.size());
    }
    const auto t = get<tcp_socket>(fd);
    return t ? told(t->send(all.data(), all.size())) : -1;
}

ssize_t take_datagram(udp_socket& u, void* into, std::size_t n, void* from, socklen_t* from_length) {
    if (u.received.empty()) return told<ssize_t>(-EAGAIN);
    const auto [who, text] = std::move(u.received.front());
    u.received.pop_front();
    to_sockaddr(who, from, from_length);
    n = std::min(n, text.size());
    std::memcpy(into, text.data(), n);
    return static_cast<ssize_t>(n);
}

}  // namespace

extern "C" {

int socket(int family, int type, int) noexcept {
    auto* me = scheduler::self();
    if (!me || family != AF_INET) return told(-EAFNOSUPPORT);
    std::shared_ptr<descriptor> d;
    if ((type & 0xf) == SOCK_STREAM) d = std::make_shared<tcp_socket>(*me->on);
    else d = std::make_shared<udp_socket>(*me->on);
    d->non_blocking = (type & SOCK_NONBLOCK) != 0;
    return descriptor_table::the().add(std::move(d));
}
int bind(int fd, const sockaddr* a, socklen_t) noexcept {
    const auto where = from_sockaddr(a);
    if (const auto t = descriptor_table::the().find<tcp_socket>(fd)) return told(t->bind(where));
    const auto u = get<udp_socket>(fd);
    if (!u) return -1;
    network::the().open(*u, where);
    return 0;
}
int listen(int fd, int) noexcept {
    const auto t = get<tcp_socket>(fd);
    return t ? told(t->listen()) : -1;
}
int accept(int fd, sockaddr* a, socklen_t* length) {
    const auto t = get<tcp_socket>(fd);
    if (!t) return -1;
    address from;
    const int got = t->accept(from);
    if (got >= 0) to_sockaddr(from, a, length);
    return told(got);
}
int connect(int fd, const sockaddr* a, socklen_t) {
    const auto t = get<tcp_socket>(fd);
    return t ? told(t->connect(from_sockaddr(a))) : -1;
}
int getsockname(int fd, sockaddr* a, socklen_t* length) noexcept {
    if (const auto u = descriptor_table::the().find<udp_socket>(fd)) {
        to_sockaddr(u->local, a, length);
        return 0;
    }
    const auto t = get<tcp_socket>(fd);
    if (t) to_sockaddr(t->local, a, length);
    return t ? 0 : -1;
}
int getpeername(int fd, sockaddr* a, socklen_t* length) noexcept {
    const auto t = get<tcp_socket>(fd);
    if (!t) return -1;
    if (!t->connected()) return told(-ENOTCONN);
    to_sockaddr(t->remote, a, length);
    return 0;
}
int setsockopt(int fd, int level, int name, const void* value, socklen_t length) noexcept {
    const auto d = get<descriptor>(fd);
    if (!d) return -1;
    unsigned limit_ms = 0;
    if (const auto t = std::dynamic_pointer_cast<tcp_socket>(d);
        t && level == IPPROTO_TCP && name == TCP_USER_TIMEOUT && length == sizeof limit_ms) {
        std::memcpy(&limit_ms, value, sizeof limit_ms);
        t->set_user_timeout(limit_ms * ms);
    }
    return 0;
}
int getsockopt(int fd, int level, int name, void* value, socklen_t* length) noexcept {
    const auto d = get<descriptor>(fd);
    if (!d) return -1;
    int out = 0;
    const auto t = std::dynamic_pointer_cast<tcp_socket>(d);
    if (level == SOL_SOCKET && name == SO_ERROR && t) out = t->take_error();
    if (level == SOL_SOCKET && name == SO_TYPE) out = t ? SOCK_STREAM : SOCK_DGRAM;
    std::memcpy(value, &out, std::min<std::size_t>(sizeof out, *length));
    *length = sizeof out;
    return 0;
}
int shutdown(int fd, int how) noexcept {
    const auto t = get<tcp_socket>(fd);
    if (!t) return -1;
    if (!t->connected()) return told(-ENOTCONN);
    if (how != SHUT_RD) t->shut_down();
    return 0;
}
ssize_t send(int fd, const void* data, std::size_t n, int) {
    const auto t = get<tcp_socket>(fd);
    return t ? told(t->send(data, n)) : -1;
}
ssize_t sendmsg(int fd, const msghdr* m, int) { return gather(fd, m); }
ssize_t sendto(int fd, const void* data, std::size_t n, int flags, const sockaddr* a, socklen_t) {
    if (!a) return send(fd, data, n, flags);
    const auto u = get<udp_socket>(fd);
    if (!u) return -1;
    network::the().send_datagram(*u, from_sockaddr(a), {static_cast<const char*>(data), n});
    return static_cast<ssize_t>(n);
}
ssize_t recv(int fd, void* into, std::size_t n, int) {
    const auto t = get<tcp_socket>(fd);
    return t ? told(t->receive(into, n)) : -1;
}
ssize_t recvmsg(int fd, msghdr* m, int) {
    if (m->msg_iovlen == 0) return 0;
    if (const auto u = descriptor_table::the().find<udp_socket>(fd))
        return take_datagram(*u, m->msg_iov[0].iov_base, m->msg_iov[0].iov_len, m->msg_name, &m->msg_namelen);
    return recv(fd, m->msg_iov[0].iov_base, m->msg_iov[0].iov_len, 0);
}
ssize_t recvfrom(int fd, void* into, std::size_t n, int, sockaddr* a, socklen_t* length) {
    const auto u = get<udp_socket>(fd);
    return u ? take_datagram(*u, into, n, a, length) : -1;
}
int poll(pollfd* all, nfds_t n, int) {   // Asio asks whether a connection has come about, and does not wait
    int ready = 0;
    for (nfds_t i = 0; i < n; ++i) {
        const auto d = descriptor_table::the().find(all[i].fd);
        const auto asked = static_cast<unsigned>(all[i].events | POLLERR | POLLHUP);
        all[i].revents = d ? static_cast<short>(d->ready() & asked) : POLLNVAL;
        ready += all[i].revents != 0;
    }
    return ready;
}

int epoll_create1(int) noexcept {
    auto* me = scheduler::self();
    if (!me) return told(-ENOSYS);
    return descriptor_table::the().add(std::make_shared<poller>(*me->on));
}
int epoll_create(int) noexcept { return epoll_create1(0); }
int epoll_ctl(int fd, int operation, int of, epoll_event* event) noexcept {
    const auto p = get<poller>(fd);
    return p ? p->control(operation, of, event) : -1;
}
int epoll_wait(int fd, epoll_event* out, int most, int timeout) {
    const auto p = get<poller>(fd);
    return p ? p->wait(out, most, timeout) : -1;
}
int eventfd(unsigned n, int) noexcept {
    auto* me = scheduler::self();
    if (!me) return told(-ENOSYS);
    return descriptor_table::the().add(std::make_shared<event_counter>(*me->on, n));
}
// Without one Asio looks at its timers after every poll.
int timerfd_create(int, int) noexcept { return told(-ENOSYS); }

int close(int fd) {
    if (!is_ours(fd)) return real().close(fd);
    return descriptor_table::the().close(fd) ? 0 : told(-EBADF);
}
ssize_t read(int fd, void* into, std::size_t n) {
    if (!is_ours(fd)) return real().read(fd, into, n);
    if (const auto e = descriptor_table::the().find<event_counter>(fd)) {
        if (n < sizeof e->count) return told<ssize_t>(-EINVAL);
        if (e->count == 0) return told<ssize_t>(-EAGAIN);
        std::memcpy(into, &e->count, sizeof e->count);
        e->count = 0;
        return sizeof e->count;
    }
    return recv(fd, into, n, 0);
}
int fcntl(int fd, int command, ...) {
    va_list args;
    va_start(args, command);
    void* const argument = va_arg(args, void*);
    va_end(args);
    return is_ours(fd) ? 0 : real().fcntl(fd, command, argument);
}
int ioctl(int fd, unsigned long request, ...) noexcept {
    va_list args;
    va_start(args, request);
    void* const argument = va_arg(args, void*);
    va_end(args);
    if (!is_ours(fd)) return real().ioctl(fd, request, argument);
    const auto d = get<descriptor>(fd);
    if (!d) return -1;
    if (request == FIONBIO) d->non_blocking = *static_cast<const int*>(argument) != 0;
    return 0;
}

// One interface: the machine's address.
int getifaddrs(ifaddrs** out) noexcept {
    struct one {
        ifaddrs entry{};
        sockaddr_in where{};
        char name[8] = "eth0";
    };
    auto* me = scheduler::self();
    *out = nullptr;
    if (!me) return 0;
    auto* made = new one;
    made->where.sin_family = AF_INET;
    made->where.sin_addr.s_addr = htonl(me->on->address());
    made->entry.ifa_name = made->name;
    made->entry.ifa_flags = IFF_UP | IFF_MULTICAST;
    made->entry.ifa_addr = reinterpret_cast<sockaddr*>(&made->where);
    *out = &made->entry;   // never freed: a handful per run
    return 0;
}
void freeifaddrs(ifaddrs*) noexcept {}

}  // extern "C"
