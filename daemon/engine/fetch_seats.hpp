// How many mails are fetched at a time: a seat for each, of one lane of one peer, and counted over all peers. A seat
// that is let go of is free again, whatever ended the fetch. Pure; one thread. Seats may outlive the lane they are of:
// that of a fetch that is cut off when the daemon ends does.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

namespace pp::engine {

class fetch_seats {
public:
    // Of all peers. When `most` are taken, a lane gets its first seat and no second.
    struct all {
        std::size_t most = 0, taken = 0;
    };
    fetch_seats(std::size_t most, std::shared_ptr<all> everybody)
        : most_(most), taken_(std::make_shared<std::size_t>(0)), everybody_(std::move(everybody)) {}

    class seat {
    public:
        seat(seat&&) noexcept = default;
        seat& operator=(seat&&) = delete;
        ~seat() {
            if (!taken_) return;
            --*taken_;
            --everybody_->taken;
        }

    private:
        friend class fetch_seats;
        seat(std::shared_ptr<std::size_t> taken, std::shared_ptr<all> everybody)
            : taken_(std::move(taken)), everybody_(std::move(everybody)) {
            ++*taken_;
            ++everybody_->taken;
        }
        std::shared_ptr<std::size_t> taken_;
        std::shared_ptr<all> everybody_;
    };
    std::optional<seat> take() {
        if (*taken_ >= most_ || (*taken_ > 0 && everybody_->taken >= everybody_->most)) return std::nullopt;
        return seat(taken_, everybody_);
    }
    std::size_t taken() const { return *taken_; }

private:
    std::size_t most_;
    std::shared_ptr<std::size_t> taken_;
    std::shared_ptr<all> everybody_;
};

}  // namespace pp::engine
