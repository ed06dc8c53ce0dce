// A TCP connection to "host:port" within a time: names are resolved, each of their addresses is tried.
#pragma once

#include "daemon/engine/endpoints.hpp"
#include "daemon/net/asio.hpp"

#include <optional>
#include <string>

namespace pp::net {

// shared: the local port can be dialled from again, to others (04-network 4.4.3): SO_REUSEADDR and SO_REUSEPORT.
enum class port_use : bool { own, shared };

awaitable<error_code> connect(tcp::socket& socket, engine::endpoint to, std::chrono::milliseconds limit,
                              port_use port = port_use::own);
// A peer that is gone without a word is missed when nothing at all is heard of its system for so long although it owes
// an acknowledgement (open_streams::close_silent); where the system can tell. Accepted and dialled connections alike.
// Mails do not wait for more than a few seconds for a way that is gone when there is another. A slow line is not one
// that is gone: what stands in its queue may be acknowledged much later, but something always is. On a long line three
// times the way there and back is waited for.
inline constexpr auto silence_limit = std::chrono::seconds(8), silence_limit_max = std::chrono::seconds(20);
// The system itself ends a connection that gets nothing new across for so long, or whose peer reads nothing.
inline constexpr auto unacknowledged_limit = std::chrono::seconds(30);
void watch_over(tcp::socket& socket);
bool is_watched_over(tcp::socket& socket);
struct line_state {
    bool owed = false;                           // something is not acknowledged yet
    std::chrono::milliseconds heard_ago{}, round_trip{};
};
std::optional<line_state> line_state_of(int descriptor);
// Opens a socket at a local port that is shared. False: the system does not want to.
bool open_shared(tcp::socket& socket, const tcp::endpoint& local);
// For sentences.
std::string why_not_connected(const error_code& failed);

}  // namespace pp::net
