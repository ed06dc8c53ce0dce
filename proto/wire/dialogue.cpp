#include "proto/wire/dialogue.hpp"

namespace pp::wire {

void input_buffer::append(bytes_view in) {
    if (used_ > 0 && used_ >= bytes_.size() / 2) {   // amortised: each byte is moved at most once per doubling
        bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(used_));
        used_ = 0;
    }
    bytes_.insert(bytes_.end(), in.begin(), in.end());
}

void input_buffer::consume(std::size_t n) {
    PP_ASSERT(n <= size());
    used_ += n;
    if (used_ == bytes_.size()) {
        bytes_.clear();
        used_ = 0;
    }
}

bytes input_buffer::take() {
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(used_));
    used_ = 0;
    return std::exchange(bytes_, {});
}

void input_buffer::release() {
    if (empty()) bytes().swap(bytes_);
}

}  // namespace pp::wire
