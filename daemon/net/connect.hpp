// A TCP connection to "host:port" within a time: names are resolved, each of their addresses is tried.
#pragma once

#include "daemon/engine/endpoints.hpp"
#include "daemon/net/asio.hpp"

#include <string>

namespace pp::net {

// shared: the local port can be dialled from again, to others (04-network 4.4.3): SO_REUSEADDR and SO_REUSEPORT.
enum class port_use : bool { own, shared };

awaitable<error_code> connect(tcp::socket& socket, engine::endpoint to, std::chrono::milliseconds limit,
                              port_use port = port_use::own);
// A peer that is gone without a word is missed when nothing of what we send is acknowledged for so long, or it reads
// nothing; where the system can do that. Accepted and dialled connections alike. Mails do not wait for more than a few
// seconds for a way that is gone when there is another: a connection that is cut too early goes on over the next one.
inline constexpr auto unacknowledged_limit = std::chrono::seconds(8);
void watch_over(tcp::socket& socket);
// Opens a socket at a local port that is shared. False: the system does not want to.
bool open_shared(tcp::socket& socket, const tcp::endpoint& local);
// For sentences.
std::string why_not_connected(const error_code& failed);

}  // namespace pp::net
