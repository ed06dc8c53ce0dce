// What the streams of all links of one thread keep in memory for the other sides: requests that are not whole or wait
// their turn, replies that wait to be written. Each link is bounded by its streams (stream_table.hpp), which is much
// when links are many; together they are bounded here. Where there is no more room, the stream that has held something
// for the longest time is given up (RESET, refused): who finishes what it begins is never that one for long.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

namespace pp::peer {

// of all links; 06-security 6.1.4, "endless stream"
inline constexpr std::size_t held_bytes_max = 16 * 1024 * 1024;
// Above it a link has no second reply waiting: what is asked for in bulk comes as fast as it is read.
inline constexpr std::size_t held_bytes_scarce = held_bytes_max / 2;

class held_bytes {
public:
    struct holder {
        virtual void give_up(std::uint32_t stream) = 0;              // ends it; its place is dropped by that
    protected:
        ~holder() = default;
    };
    // What one stream holds; of the stream that it is for.
    struct place {
        std::uint64_t turn = 0;          // 0: nothing is held
        std::size_t bytes = 0;
    };

    static held_bytes& of_this_thread();

    // The stream holds so much now.
    void set(place& at, holder& who, std::uint32_t stream, std::size_t bytes);
    // Gives up the oldest until the others fit. Any stream of any holder may be gone afterwards.
    void make_room();
    bool is_scarce() const { return total_ > held_bytes_scarce; }
    std::size_t total() const { return total_; }

private:
    struct entry {
        holder* who = nullptr;
        std::uint32_t stream = 0;
    };
    std::map<std::uint64_t, entry> by_age_;
    std::uint64_t next_turn_ = 1;
    std::size_t total_ = 0;
};

}  // namespace pp::peer
