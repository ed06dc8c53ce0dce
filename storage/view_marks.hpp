// Small files beside the view that say how it was left, so that a view that ends the process is not opened for ever:
//
//   view.clean     written when the view is closed: its fingerprint. Gone while it is open.
//   view.attempt   how many starts have begun to open the view and did not get through.
//
// Neither is synced: after a power cut a stale one only makes the next start look closer.
#pragma once

#include "storage/view_structure.hpp"

namespace pp::storage {

class view_marks {
public:
    explicit view_marks(std::filesystem::path folder) : folder_(std::move(folder)) {}

    enum class verdict {
        open,                // its pages can be walked
        damaged,             // they cannot
        ended_the_process,   // it looks sound, yet opening it has ended the process view_attempts_max times
    };
    // checked_bytes: a view that was closed and is larger than this gets only a short look.
    verdict before_opening(const std::filesystem::path& view, std::uint64_t checked_bytes) const;
    void opened() const;
    void closed(const std::filesystem::path& view) const;

private:
    std::filesystem::path folder_;
};

}  // namespace pp::storage
