#include "storage/loose_rows.hpp"

#include "storage/codec.hpp"
#include "storage/durable.hpp"
#include "storage/view_structure.hpp"

#include <optional>
#include <set>

namespace pp::storage {

namespace {

constexpr std::size_t page_bytes = 4096, page_header_bytes = 16, node_header_bytes = 8;
constexpr std::uint16_t leaf_page = 2;

struct loose_row {
    bytes_view key, value;
};

// A leaf node that may begin here (storage/view_structure.cpp has the layout).
std::optional<loose_row> row_at(bytes_view page, std::size_t at) {
    if (at + node_header_bytes > page.size()) return std::nullopt;
    byte_reader r(page.subspan(at));
    const std::size_t value_bytes = r.u32();
    const auto flags = r.u16();
    const std::size_t key_bytes = r.u16();
    if (flags != 0 || key_bytes == 0 || key_bytes > page.size() || value_bytes > page.size() || !r.ok() ||
        key_bytes + value_bytes > r.left())
        return std::nullopt;
    const auto key = r.raw(key_bytes);
    return loose_row{key, r.raw(value_bytes)};
}

template <class F>
bool each_page(const std::filesystem::path& path, F&& f) {
    const auto file = durable::open_file(path, durable::mode::read);
    if (!file) return false;
    const auto size = file->size();
    bytes page(page_bytes);
    for (std::uint64_t at = 0; size && at + page_bytes <= *size; at += page_bytes) {
        const auto n = file->read_at(at, page);
        if (n && *n == page.size()) f(at / page_bytes, bytes_view(page));
    }
    return size.has_value();
}

std::uint16_t u16(bytes_view page, std::size_t at) { return byte_reader(page.subspan(at, 2)).u16(); }

}  // namespace

bool each_loose_row(const std::filesystem::path& path, const loose_row_visitor& visit) {
    return each_page(path, [&](std::uint64_t, bytes_view page) {
        for (std::size_t at = 0; at + node_header_bytes < page.size(); at += 2)
            if (const auto row = row_at(page, at)) visit(row->key, row->value);
    });
}

bool each_row_in_use(const std::filesystem::path& path, const loose_row_visitor& visit) {
    const auto listed = free_pages_of_view(path);
    const std::set<std::uint64_t> free = listed ? std::set(listed->begin(), listed->end()) : std::set<std::uint64_t>();
    return each_page(path, [&](std::uint64_t number, bytes_view page) {
        if (free.contains(number) || u16(page, 10) != leaf_page) return;
        const std::size_t lower = std::min<std::size_t>(u16(page, 12), page.size());
        for (std::size_t place = page_header_bytes; place + 2 <= lower; place += 2)
            if (const auto row = row_at(page, u16(page, place))) visit(row->key, row->value);
    });
}

}  // namespace pp::storage
