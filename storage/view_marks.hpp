// Small files beside a view, or a relay's index, that say how it was left, so that one that ends the process is not
// opened for ever. They are called after it:
//
//   view.clean     written when the view is closed: its fingerprint. Gone while it is open.
//   view.attempt   how many starts have died of a signal of their own (SIGSEGV, SIGBUS, SIGABRT) while they opened it.
//                  A start that was killed or lost its power says nothing about the view and is not counted.
//
// Neither is synced: after a power cut a stale one only makes the next start look closer.
#pragma once

#include "storage/view_structure.hpp"

#include <filesystem>
#include <memory>

namespace pp::storage {

class view_marks {
public:
    explicit view_marks(std::filesystem::path folder, std::string_view name = "view");
    ~view_marks();

    enum class verdict {
        open,                // its pages can be walked
        damaged,             // they cannot
        no_access,           // the system does not open it: nothing is known of them
        ended_the_process,   // it looks sound, yet opening it has ended the process view_attempts_max times
    };
    // checked_bytes: a view that was closed and is larger than this gets only a short look.
    // From here to opened() a death of this process is counted. One store at a time: another one waits here.
    verdict before_opening(const std::filesystem::path& view, std::uint64_t checked_bytes, const key_hash& hash);
    // The sum of the keys it then has, when all of it was read: what the view says of itself must be the same.
    const std::optional<std::uint64_t>& keys_sum() const { return keys_sum_; }
    void opened();
    void closed(const std::filesystem::path& view) const;

private:
    class watch;             // of the signals
    std::filesystem::path clean_, attempt_;
    std::unique_ptr<watch> watching_;
    std::optional<std::uint64_t> keys_sum_;
};

}  // namespace pp::storage
