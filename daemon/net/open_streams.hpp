// Every connection of an io_context that is open, with the address at its end here: when that address is taken from
// the machine, the connection is over, whoever waits on it. One for each io_context; used on its thread.
#pragma once

#include "daemon/net/asio.hpp"
#include "daemon/net/connect.hpp"

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

namespace pp::net {

class open_streams : public asio::execution_context::service {
public:
    using key_type = open_streams;
    inline static asio::execution_context::id id;
    explicit open_streams(asio::execution_context& of) : service(of) {}

    struct one {
        tcp::endpoint local;
        std::function<void()> close;
        std::function<int()> watched = nullptr;      // the descriptor, when silence is to end it
        bool owed = false;
        std::chrono::steady_clock::time_point owed_since{};   // and nothing was heard since
    };
    // As long as it lives, the connection is among them; also when the io_context has gone.
    class entry {
    public:
        entry(std::shared_ptr<std::list<one>> all, one what)
            : all_(std::move(all)), place_(all_->insert(all_->end(), std::move(what))) {}
        entry(const entry&) = delete;
        entry& operator=(const entry&) = delete;
        ~entry() { all_->erase(place_); }

    private:
        std::shared_ptr<std::list<one>> all_;
        std::list<one>::iterator place_;
    };
    std::unique_ptr<entry> add(one what) {
        if (what.watched && on_watched) on_watched();
        return std::make_unique<entry>(all_, std::move(what));
    }

    // Closes those on addresses that the machine has no more. Link-local ones are not told apart by their text, and
    // loopback does not go.
    void close_others(const std::vector<std::string>& addresses);

    // Closes those whose other end is gone without a word (connect.hpp). To be asked again after a time that depends on
    // the answer. state: line_state_of(), or a test's.
    enum class lines { none, quiet, owing };     // none is watched; some; one of them owes an acknowledgement
    using teller = std::function<std::optional<line_state>(int descriptor)>;
    lines close_silent(std::chrono::steady_clock::time_point now, const teller& state);
    std::function<void()> on_watched;            // there is one more to be watched

private:
    void shutdown() override {}
    std::shared_ptr<std::list<one>> all_ = std::make_shared<std::list<one>>();
};

}  // namespace pp::net
