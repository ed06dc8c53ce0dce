#include "proto/imap/list_tree.hpp"

#include <algorithm>

namespace pp::imap {

namespace {

constexpr std::string_view inbox = "INBOX";

// As strings, but "/" before all other characters.
bool stands_before(std::string_view a, std::string_view b) {
    const auto [x, y] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    if (x == a.end() || y == b.end()) return x == a.end() && y != b.end();
    if (*x == '/' || *y == '/') return *x == '/';
    return static_cast<unsigned char>(*x) < static_cast<unsigned char>(*y);
}

std::size_t levels_of(std::string_view name) {
    return static_cast<std::size_t>(std::count(name.begin(), name.end(), '/')) + 1;
}

std::size_t shared_levels(std::string_view a, std::string_view b) {
    const auto [x, y] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    const auto same = a.substr(0, static_cast<std::size_t>(x - a.begin()));
    const bool ends_level = (x == a.end() || *x == '/') && (y == b.end() || *y == '/');
    return levels_of(same) - (ends_level ? 0 : 1);
}

}  // namespace

list_tree::list_tree(std::vector<mailbox_entry> entries) {
    std::sort(entries.begin(), entries.end(),
              [](const auto& a, const auto& b) { return stands_before(a.name, b.name); });
    rows_.reserve(entries.size());
    for (auto& one : entries) rows_.push_back({std::move(one), 0, {}});
    const auto first = std::partition_point(rows_.begin(), rows_.end(),
                                            [](const row& one) { return stands_before(one.entry.name, inbox); });
    inbox_ = static_cast<std::size_t>(first - rows_.begin());
    inbox_told_ = first == rows_.end() || shared_levels(first->entry.name, inbox) == 0;
}

void list_tree::tell_parents(std::size_t i, std::uint8_t facts) {
    const auto& name = rows_[i].entry.name;
    if (i + 1 < rows_.size()) {
        auto& after = rows_[i + 1];
        after.shared = shared_levels(name, after.entry.name);
        after.below = open_.substr(after.shared);
        open_.resize(after.shared);
    }
    open_.resize(levels_of(name));
    for (std::size_t level = 0; level + 1 < open_.size(); ++level)
        open_[level] = static_cast<char>(open_[level] | facts);
    if (i == 0) rows_[i].below = open_;
}

list_tree::node list_tree::node_at(const row& at, std::size_t level) const {
    node out;
    out.below = static_cast<std::uint8_t>(at.below[level - at.shared]);
    std::size_t end = 0;
    for (std::size_t n = 0;; ++n) {
        end = at.entry.name.find('/', end);
        if (n == level || end == at.entry.name.npos) break;
        ++end;
    }
    if (end == at.entry.name.npos) {
        out.entry = at.entry;
    } else {
        out.entry.name = at.entry.name.substr(0, end);
        out.entry.exists = false;
    }
    return out;
}

std::optional<list_tree::node> list_tree::next() {
    if (!inbox_told_) {
        inbox_told_ = true;
        return node_at(rows_[inbox_], 0);
    }
    for (; row_ < rows_.size(); ++row_, level_ = 0) {
        const auto& at = rows_[row_];
        while (level_ < at.below.size()) {
            const auto level = at.shared + level_++;
            auto out = node_at(at, level);
            if (out.entry.name != inbox) return out;
        }
    }
    return std::nullopt;
}

}  // namespace pp::imap
