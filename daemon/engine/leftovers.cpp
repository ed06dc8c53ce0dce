#include "daemon/engine/leftovers.hpp"

#include "daemon/engine/last_word.hpp"

#include <algorithm>

namespace pp::engine {

namespace {

// The item leads her to the seed at this place: she deletes it there.
bool is_told_of(const deposit_notes& n, bool at_ours) {
    return n.item_left && (at_ours ? n.seed_at_ours : n.seed_at_hers);
}

}  // namespace

bool has_leftover(const storage::outbox_row& row) {
    if (row.deposit.empty() || is_open(row) || is_in_doubt(row)) return false;
    const auto notes = notes_of(row);
    if (notes.hers && may_lie(*notes.hers) && !is_told_of(notes, false)) return true;
    if (notes.ours && may_lie(*notes.ours) && !is_told_of(notes, true)) return true;
    return std::any_of(notes.earlier.begin(), notes.earlier.end(), [](const auto& e) { return may_lie(e.place); });
}

bytes encode_leftovers(std::span<const storage::id16> rows) {
    const auto kept = rows.last(std::min(rows.size(), leftovers_max));
    bytes out;
    out.reserve(kept.size() * sizeof(storage::id16));
    for (const auto& id : kept) out.insert(out.end(), id.begin(), id.end());
    return out;
}

std::vector<storage::id16> decode_leftovers(bytes_view kept) {
    if (kept.size() % sizeof(storage::id16) != 0) return {};
    std::vector<storage::id16> out(kept.size() / sizeof(storage::id16));
    for (std::size_t i = 0; i < out.size(); ++i)
        std::copy_n(kept.begin() + static_cast<std::ptrdiff_t>(i * sizeof(storage::id16)), sizeof(storage::id16),
                    out[i].begin());
    return out;
}

}  // namespace pp::engine
