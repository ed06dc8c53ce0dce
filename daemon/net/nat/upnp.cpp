#include "daemon/net/nat/upnp.hpp"

#include "crypto/primitives.hpp"
#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpcommands.h>

#include <memory>

namespace pp::net {

namespace {

// UPnP Device Architecture 1.1 section 1.3.2: answers come within MX
constexpr int search_ms = 1000;
constexpr unsigned char search_hops = 2;              // the same: its TTL
constexpr int ports_tried = 4;                        // the own one, then others, when somebody has it
constexpr int error_conflict = 718, error_permanent_only = 725;    // WANIPConnection 2.5.16: AddPortMapping
constexpr std::uint16_t dynamic_port_first = 49152, dynamic_ports = 16384;   // RFC 6335 section 6
const char* upnp_name(portmap::transport t) { return t == portmap::transport::tcp ? "TCP" : "UDP"; }
constexpr const char* description = "peerpost";

// http://host:port/... or http://host/..., of the gateway itself.
bool is_at(const char* url, const std::string& gateway) {
    const std::string start = "http://" + gateway;
    const std::string text = url ? url : "";
    return text.starts_with(start) && text.size() > start.size() &&
           (text[start.size()] == ':' || text[start.size()] == '/');
}

struct found_gateway {
    UPNPUrls urls{};
    IGDdatas data{};
    std::string own_address;
    bool good = false;
    found_gateway() = default;
    found_gateway(const found_gateway&) = delete;
    found_gateway& operator=(const found_gateway&) = delete;
    ~found_gateway() {
        if (good) FreeUPNPUrls(&urls);
    }
};

void find(const std::string& gateway, found_gateway& out) {
    int error = 0;
    const std::unique_ptr<UPNPDev, decltype(&freeUPNPDevlist)> devices(
        upnpDiscover(search_ms, nullptr, nullptr, UPNP_LOCAL_PORT_ANY, 0, search_hops, &error), &freeUPNPDevlist);
    for (const auto* d = devices.get(); d; d = d->pNext) {
        if (!is_at(d->descURL, gateway)) continue;
        char own[64] = "";
        if (UPNP_GetIGDFromUrl(d->descURL, &out.urls, &out.data, own, sizeof own) != 1) continue;
        if (out.data.first.servicetype[0] != '\0' && is_at(out.urls.controlURL, gateway)) {
            out.own_address = own;
            out.good = true;
            return;
        }
        FreeUPNPUrls(&out.urls);
        out.urls = {};
    }
}

}  // namespace

std::variant<upnp_mapping, std::string> upnp_map(const std::string& gateway, std::uint16_t port,
                                                 const upnp_mapping& before) {
    found_gateway igd;
    find(gateway, igd);
    if (!igd.good) return "no gateway answers UPnP";
    upnp_mapping out;
    out.what = before.what;
    out.control_url = igd.urls.controlURL;
    out.service = igd.data.first.servicetype;
    out.own_address = igd.own_address;
    char external[64] = "";
    if (UPNP_GetExternalIPAddress(out.control_url.c_str(), out.service.c_str(), external) != UPNPCOMMAND_SUCCESS)
        return "the gateway tells no external address";
    out.external_address = external;
    out.external_port = before.external_port != 0 ? before.external_port : port;
    out.lease_s = portmap::lease_wanted_s;
    int failed = 0;
    for (int tries = 0; tries < ports_tried;) {
        const auto inside = std::to_string(port), outside = std::to_string(out.external_port),
                   lease = std::to_string(out.lease_s);
        failed = UPNP_AddPortMapping(out.control_url.c_str(), out.service.c_str(), outside.c_str(), inside.c_str(),
                                     out.own_address.c_str(), description, upnp_name(out.what), nullptr, lease.c_str());
        if (failed == UPNPCOMMAND_SUCCESS) return out;
        if (failed == error_permanent_only && out.lease_s != 0) {
            out.lease_s = 0;
            continue;
        }
        if (failed != error_conflict) break;
        ++tries;
        out.external_port = static_cast<std::uint16_t>(dynamic_port_first + crypto::random_u64() % dynamic_ports);
    }
    return "the gateway refuses: UPnP error " + std::to_string(failed);
}

void upnp_unmap(const upnp_mapping& mapping) {
    UPNP_DeletePortMapping(mapping.control_url.c_str(), mapping.service.c_str(),
                           std::to_string(mapping.external_port).c_str(), upnp_name(mapping.what), nullptr);
}

}  // namespace pp::net
