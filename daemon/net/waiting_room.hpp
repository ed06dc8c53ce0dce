// Connections that nobody has vouched for yet, oldest first: before the TLS handshake, before the login, before HELLO.
// When there is no room for a newcomer the oldest of them is cut; who has logged in never is (06-security 6.1.3, "idle
// connections"). One network thread.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <utility>

namespace pp::net {

class waiting_room {
public:
    struct place {
        std::function<void()> cut;   // ends the connection at once; replaced as the connection goes on
        bool waits = true;           // false: vouched for, cut, or gone
        bool was_cut = false;
    };
    using ticket = std::shared_ptr<place>;

    ticket enter() { return waiting_.emplace_back(std::make_shared<place>()); }

    // Vouched for: this one is not cut any more.
    void leave(const ticket& t) {
        if (!std::exchange(t->waits, false)) return;
        waiting_.remove(t);
        t->cut = nullptr;
    }
    // The connection has ended; once for each ticket.
    void gone(const ticket& t) {
        leave(t);
        t->cut = nullptr;
        if (t->was_cut) --leaving_;
    }

    // False when nobody waits.
    bool cut_oldest() {
        if (waiting_.empty()) return false;
        const auto oldest = waiting_.front();
        waiting_.pop_front();
        oldest->waits = false;
        oldest->was_cut = true;
        ++leaving_;
        if (const auto cut = std::exchange(oldest->cut, nullptr)) cut();
        return true;
    }

    // One that was vouched for and has to go all the same; the caller ends its connection.
    void cut_late(const ticket& t) {
        if (t->waits || std::exchange(t->was_cut, true)) return;
        ++leaving_;
    }

    std::size_t size() const { return waiting_.size(); }
    std::size_t leaving() const { return leaving_; }   // cut, but not gone yet

private:
    std::list<ticket> waiting_;
    std::size_t leaving_ = 0;
};

}  // namespace pp::net
