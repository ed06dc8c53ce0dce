#include "storage/view_marks.hpp"

#include "storage/durable.hpp"
#include "storage/limits.hpp"

namespace pp::storage {

namespace {
constexpr std::uint64_t mark_bytes_max = 64;

// A mark that cannot be written is no error: the next start then looks closer, or a little later.
void put(const std::filesystem::path& path, bytes_view content) {
    const auto f = durable::open_file(path, durable::mode::create_or_truncate);
    if (f) (void)f->write_at(0, content);
}
}  // namespace

view_marks::verdict view_marks::before_opening(const std::filesystem::path& view, std::uint64_t checked_bytes) const {
    const auto attempt = durable::read_file(folder_ / "view.attempt", mark_bytes_max);
    const auto before = attempt && !attempt->empty() ? static_cast<unsigned>(attempt->front()) : 0u;
    const auto kept = durable::read_file(folder_ / "view.clean", mark_bytes_max);
    const auto now = view_fingerprint(view);
    const bool clean = kept && now && *kept == *now;
    const std::byte count[] = {static_cast<std::byte>(std::min(before + 1, 255u))};
    put(folder_ / "view.attempt", count);
    (void)durable::unlink_file(folder_ / "view.clean");
    if (before >= view_attempts_max) return verdict::ended_the_process;
    std::error_code ignored;
    const bool small = std::filesystem::file_size(view, ignored) <= checked_bytes;
    const auto checked = check_view_structure(view, clean && !small ? structure_depth::roots : structure_depth::whole);
    return checked ? verdict::open : verdict::damaged;   // a page that the disk cannot give back counts as damaged
}

void view_marks::opened() const { (void)durable::unlink_file(folder_ / "view.attempt"); }

void view_marks::closed(const std::filesystem::path& view) const {
    if (const auto now = view_fingerprint(view)) put(folder_ / "view.clean", *now);
}

}  // namespace pp::storage
