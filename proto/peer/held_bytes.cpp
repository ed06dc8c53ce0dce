#include "proto/peer/held_bytes.hpp"

namespace pp::peer {

held_bytes& held_bytes::of_this_thread() {
    static thread_local held_bytes all;
    return all;
}

void held_bytes::set(place& at, holder& who, std::uint32_t stream, std::size_t bytes) {
    total_ = total_ - at.bytes + bytes;
    at.bytes = bytes;
    if (bytes == 0 && at.turn != 0) {
        by_age_.erase(at.turn);
        at.turn = 0;
    } else if (bytes > 0 && at.turn == 0) {
        at.turn = next_turn_++;
        by_age_.emplace(at.turn, entry{&who, stream});
    }
}

void held_bytes::make_room() {
    while (total_ > held_bytes_max && !by_age_.empty()) {
        const auto oldest = by_age_.begin()->second;
        oldest.who->give_up(oldest.stream);
    }
}

}  // namespace pp::peer
