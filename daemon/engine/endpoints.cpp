#include "daemon/engine/endpoints.hpp"

#include "proto/peer/messages.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>

namespace pp::engine {
namespace {

template <std::size_t Size>
std::optional<std::array<std::uint8_t, Size>> parse_address(std::string_view host) {
    std::array<std::uint8_t, Size> out;
    if (host.find('\0') != host.npos) return std::nullopt;
    if (inet_pton(Size == 4 ? AF_INET : AF_INET6, std::string(host).c_str(), out.data()) != 1) return std::nullopt;
    return out;
}

// RFC 1123 section 2.1: letters, digits and inner hyphens; 253 in all.
bool is_dns_name(std::string_view name) {
    if (name.empty() || name.size() > 253) return false;
    bool only_digits = true;
    for (std::size_t from = 0; from <= name.size();) {
        const auto dot = std::min(name.find('.', from), name.size());
        const auto label = name.substr(from, dot - from);
        if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
        only_digits = true;
        for (const char c : label) {
            const bool digit = c >= '0' && c <= '9';
            if (!digit && c != '-' && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z')) return false;
            only_digits = only_digits && digit;
        }
        from = dot + 1;
    }
    return !only_digits;   // "1.2.3" is neither an address nor a name
}

address_kind kind_of_v4(const std::array<std::uint8_t, 4>& a) {
    if (a[0] == 0) return address_kind::unspecified;
    if (a[0] == 127) return address_kind::loopback;
    if (a[0] == 169 && a[1] == 254) return address_kind::link_local;
    if (a[0] >= 224) return address_kind::multicast;                              // and reserved
    if (a[0] == 10 || (a[0] == 172 && a[1] >= 16 && a[1] < 32) || (a[0] == 192 && a[1] == 168) ||
        (a[0] == 100 && a[1] >= 64 && a[1] < 128))
        return address_kind::local;
    return address_kind::global;
}

void add_once(std::vector<endpoint>& list, endpoint e, std::size_t max) {
    if (list.size() < max && std::find(list.begin(), list.end(), e) == list.end()) list.push_back(std::move(e));
}

}  // namespace

std::optional<endpoint> parse_endpoint(std::string_view text) {
    if (text.size() > peer::endpoint_bytes_max) return std::nullopt;
    const auto colon = text.rfind(':');
    if (colon == text.npos || colon == 0) return std::nullopt;
    auto host = text.substr(0, colon);
    const auto digits = text.substr(colon + 1);
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc() || end != digits.data() + digits.size() || port == 0) return std::nullopt;
    if (host.front() == '[') {
        if (host.size() < 4 || host.back() != ']') return std::nullopt;
        host = host.substr(1, host.size() - 2);
        if (!parse_address<16>(host)) return std::nullopt;
    } else if (!parse_address<4>(host) && !is_dns_name(host)) {
        return std::nullopt;
    }
    return endpoint{std::string(host), port};
}

std::string format(const endpoint& e) {
    const bool v6 = e.host.find(':') != e.host.npos;
    return (v6 ? "[" + e.host + "]" : e.host) + ":" + std::to_string(e.port);
}

address_kind kind_of(std::string_view host) {
    if (const auto v4 = parse_address<4>(host)) return kind_of_v4(*v4);
    const auto v6 = parse_address<16>(host);
    if (!v6) return host == "localhost" || host.ends_with(".localhost") ? address_kind::loopback : address_kind::name;
    const auto& a = *v6;
    const auto zeros = [&](std::size_t n) {
        return std::all_of(a.data(), a.data() + n, [](std::uint8_t b) { return b == 0; });
    };
    if (zeros(16)) return address_kind::unspecified;
    if (zeros(15) && a[15] == 1) return address_kind::loopback;
    // IPv4 in disguise: mapped (RFC 4291 section 2.5.5.2), compatible, and through NAT64 (RFC 6052 section 2.1).
    const bool mapped = zeros(10) && a[10] == 0xff && a[11] == 0xff;
    const bool nat64 = a[0] == 0 && a[1] == 0x64 && a[2] == 0xff && a[3] == 0x9b &&
                       std::all_of(a.data() + 4, a.data() + 12, [](std::uint8_t b) { return b == 0; });
    if (mapped || zeros(12) || nat64) return kind_of_v4({a[12], a[13], a[14], a[15]});
    if (a[0] == 0xff) return address_kind::multicast;
    if (a[0] == 0xfe && (a[1] & 0xc0) == 0x80) return address_kind::link_local;
    if ((a[0] & 0xfe) == 0xfc) return address_kind::local;
    return address_kind::global;
}

bool may_be_dialled(std::string_view host, bool loopback_too) {
    const auto kind = kind_of(host.substr(0, host.find('%')));   // RFC 4007 section 11: without its zone
    if (kind == address_kind::loopback) return loopback_too;
    return kind != address_kind::unspecified && kind != address_kind::multicast && kind != address_kind::link_local;
}

std::vector<endpoint> candidates(const known_endpoints& known, bool may_dial_loopback) {
    std::vector<endpoint> out;
    for (const auto* list : {&known.lan, &known.last_good, &known.found, &known.record})
        for (const auto& text : *list) {
            auto e = parse_endpoint(text);
            if (!e) continue;
            if (!may_be_dialled(e->host, may_dial_loopback)) continue;
            e->may_be_here = may_dial_loopback;
            add_once(out, std::move(*e), candidates_max);
        }
    return out;
}

std::vector<std::string> own_endpoints(const std::vector<std::string>& configured,
                                       const std::vector<std::string>& listener_hosts, std::uint16_t port,
                                       const std::vector<std::string>& interface_addresses) {
    std::vector<endpoint> named, global, local, loopback_by_name, loopback;
    const auto max = peer::endpoints_max;
    for (const auto& text : configured)
        if (auto e = parse_endpoint(text)) add_once(named, std::move(*e), max);
    const auto sort_in = [&](const std::string& host, bool by_name) {
        switch (kind_of(host)) {
        case address_kind::name:
        case address_kind::global: add_once(global, endpoint{host, port}, max); break;
        case address_kind::local: add_once(local, endpoint{host, port}, max); break;
        case address_kind::loopback: add_once(by_name ? loopback_by_name : loopback, endpoint{host, port}, max); break;
        default: break;
        }
    };
    bool any_v4 = false, any_v6 = false;
    for (const auto& host : listener_hosts) {
        if (host == "0.0.0.0") any_v4 = true;
        else if (host == "::") any_v6 = true;
        else sort_in(host, true);
    }
    for (const auto& address : interface_addresses) {
        const bool v6 = parse_address<16>(address).has_value();
        if (v6 ? any_v6 : any_v4) sort_in(address, false);   // a listener on "::" takes IPv6 only
    }
    std::vector<endpoint> all;
    for (const auto* list : {&named, &global, &local, &loopback_by_name})
        for (const auto& e : *list) add_once(all, e, max);
    if (all.empty()) all = loopback;
    std::vector<std::string> out;
    for (const auto& e : all) out.push_back(format(e));
    return out;
}

}  // namespace pp::engine
