// Every connection of an io_context that is open, with the address at its end here: when that address is taken from
// the machine, the connection is over, whoever waits on it. One for each io_context; used on its thread.
#pragma once

#include "daemon/net/asio.hpp"

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
    std::unique_ptr<entry> add(one what) { return std::make_unique<entry>(all_, std::move(what)); }

    // Closes those on addresses that the machine has no more. Link-local ones are not told apart by their text, and
    // loopback does not go.
    void close_others(const std::vector<std::string>& addresses);

private:
    void shutdown() override {}
    std::shared_ptr<std::list<one>> all_ = std::make_shared<std::list<one>>();
};

}  // namespace pp::net
