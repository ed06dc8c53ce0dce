#include "storage/view_marks.hpp"

#include "storage/durable.hpp"
#include "storage/limits.hpp"

#include <csignal>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <mutex>

namespace pp::storage {

namespace {
constexpr std::uint64_t mark_bytes_max = 64;

// A mark that cannot be written is no error: the next start then looks closer, or a little later.
void put(const std::filesystem::path& path, bytes_view content) {
    const auto f = durable::open_file(path, durable::mode::create_or_truncate);
    if (f) (void)f->write_at(0, content);
}
}  // namespace

// Writes the new count when this process is about to die, with what a signal handler may call.
class view_marks::watch {
public:
    watch(durable::file mark, std::byte count) : hold_(one_at_a_time), mark_(std::move(mark)) {
        death = {mark_.fd(), count};
        struct sigaction on {};
        on.sa_handler = [](int signal) {
            (void)!::pwrite(death.descriptor, &death.count, 1, 0);
            restore();
            (void)::raise(signal);   // comes when this handler has returned
        };
        for (std::size_t i = 0; i < signals.size(); ++i) (void)::sigaction(signals[i], &on, &before[i]);
    }
    ~watch() { restore(); }

private:
    static constexpr std::array signals{SIGSEGV, SIGBUS, SIGABRT};
    static void restore() {
        for (std::size_t i = 0; i < signals.size(); ++i) (void)::sigaction(signals[i], &before[i], nullptr);
    }
    // Handlers are of the process.
    inline static std::mutex one_at_a_time;
    inline static std::array<struct sigaction, signals.size()> before;
    inline static struct {
        int descriptor;
        std::byte count;
    } death;

    std::lock_guard<std::mutex> hold_;
    durable::file mark_;
};

view_marks::view_marks(std::filesystem::path folder, std::string_view name)
    : clean_(folder / (std::string(name) + ".clean")), attempt_(folder / (std::string(name) + ".attempt")) {}
view_marks::~view_marks() = default;

view_marks::verdict view_marks::before_opening(const std::filesystem::path& view, std::uint64_t checked_bytes,
                                               const key_hash& hash) {
    const auto attempt = durable::read_file(attempt_, mark_bytes_max);
    const auto before = attempt && !attempt->empty() ? static_cast<unsigned>(attempt->front()) : 0u;
    const auto kept = durable::read_file(clean_, mark_bytes_max);
    const auto now = view_fingerprint(view);
    const bool clean = kept && now && *kept == *now;
    const std::byte so_far[] = {static_cast<std::byte>(before)};
    put(attempt_, so_far);
    if (auto mark = durable::open_file(attempt_, durable::mode::read_write))
        watching_ = std::make_unique<watch>(std::move(*mark), static_cast<std::byte>(std::min(before + 1, 255u)));
    (void)durable::unlink_file(clean_);
    if (before >= view_attempts_max) return verdict::ended_the_process;
    std::error_code ignored;
    const bool small = std::filesystem::file_size(view, ignored) <= checked_bytes;
    const auto checked =
        check_view_structure(view, clean && !small ? structure_depth::roots : structure_depth::whole, &hash);
    keys_sum_ = checked ? checked->keys_sum : std::nullopt;
    if (!checked && checked.error() == errc::no_access) return verdict::no_access;
    return checked ? verdict::open : verdict::damaged;   // a page that the disk cannot give back counts as damaged
}

void view_marks::opened() {
    watching_.reset();
    (void)durable::unlink_file(attempt_);
}

void view_marks::closed(const std::filesystem::path& view) const {
    if (const auto now = view_fingerprint(view)) put(clean_, *now);
}

}  // namespace pp::storage
