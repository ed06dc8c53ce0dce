#include "storage/relay/recovery.hpp"

#include "storage/attempt.hpp"
#include "storage/durable.hpp"
#include "storage/home.hpp"
#include "storage/plural.hpp"
#include "storage/relay/salvage.hpp"
#include "storage/relay/rows.hpp"

#include <algorithm>

namespace pp::storage::relay {

namespace {

constexpr std::uint64_t identity_file_bytes_max = 4096;
constexpr std::string_view aside_prefix = "index.damaged-";

std::string saved(std::uint64_t n, const std::optional<std::uint64_t>& before, const char* what) {
    return before && *before > n ? std::to_string(n) + " of " + plural(*before, what) : plural(n, what);
}

unsigned number_of(const std::string& name) {
    unsigned n = 0;
    for (const char c : name.substr(aside_prefix.size())) {
        if (c < '0' || c > '9' || n > 100'000'000) return 0;
        n = n * 10 + static_cast<unsigned>(c - '0');
    }
    return n;
}

template <class Row>
bool is_sound(const bytes& plain) {
    return decode_row<Row>(plain).has_value();
}

bool is_sound_row(table t, bytes_view key, const bytes& plain) {
    switch (t) {
    case table::slot: return is_sound<slot_row>(plain);
    case table::item: return is_sound<item_row>(plain);
    case table::spent: return is_sound<spent_row>(plain);
    case table::seed: return is_sound<seed_row>(plain);
    case table::invite: return is_sound<invite_row>(plain);
    case table::meta: return as_text(key) != totals_key || is_sound<totals>(plain);
    default: return true;
    }
}

// Whole, or nothing and why it cannot be trusted is no matter. Errors that are no damage go up.
result<std::unique_ptr<index>> trusted(const std::filesystem::path& path, const crypto::row_key& key,
                                       std::uint64_t checked_bytes, view_marks& marks) {
    std::unique_ptr<index> none;
    const auto found = marks.before_opening(path, checked_bytes, key_hash(key.view()));
    if (found == view_marks::verdict::no_access) return storage::errc::no_access;
    if (found != view_marks::verdict::open) return none;
    auto opened = index::open(path, key, marks.keys_sum());
    if (!opened && opened.error() == storage::errc::damaged) return none;
    if (!opened) return opened.error();
    if (marks.keys_sum()) {   // all of it was read just now: its rows cost little more
        PP_LET(const auto damaged, count_damaged_rows(**opened));
        if (damaged > 0) return none;
    }
    return std::move(*opened);
}

// Beside the index, for when its own row of that is lost. One that cannot be written is no error: the row is there.
void keep_identity(const std::filesystem::path& folder, const index& of) {
    const auto kept = durable::read_file(folder / "index.id", identity_file_bytes_max);
    if (!kept || *kept != of.identity()) (void)storage::replace_file(folder / "index.id", of.identity(), 0600);
}

// The new one takes its place in one step: a crash before it begins anew from what was put aside.
result<void> make_anew(const std::filesystem::path& folder, const std::string& from, const crypto::row_key& key,
                       recovery_report& report) {
    const auto fresh = folder / "index.rebuild";
    {
        PP_LET(const auto into, index::open(fresh, key));
        PP_TRY(salvage_index(folder / from, index_keys(key), *into, report));
    }
    PP_TRY(durable::unlink_file(folder / "index-lock"));
    PP_TRY(durable::rename_file(fresh, folder / "index"));
    PP_TRY(durable::unlink_file(folder / "index.rebuild-lock"));
    report.kept_as = from;
    return durable::sync_directory(folder);
}

}  // namespace

std::vector<std::string> recovery_report::notes() const {
    if (kept_as.empty()) return {};
    std::vector<std::string> out;
    out.push_back("the relay's index was damaged and is kept as relay/" + kept_as);
    out.push_back(nothing_opens
                      ? "nothing of it can be opened: the relay begins with an empty one"
                      : "a new one was made from what can be opened of it: " + saved(slots, slots_before, "slot") +
                            ", " + saved(items, items_before, "notification") + ", " +
                            saved(seeds, seeds_before, "mail"));
    const auto is_less = [](std::uint64_t n, const auto& before) { return !before || *before > n; };
    const bool lost = is_less(slots, slots_before) || is_less(items, items_before) || is_less(seeds, seeds_before);
    if (lost)
        out.push_back("senders look after what they have left here and bring again what is not there any more");
    if (nothing_opens)
        out.back() += "; where [relay] serve is \"invited\", the owners of slots need new links (peerpost relay link)";
    return out;
}

result<std::vector<std::string>> indexes_put_aside(const std::filesystem::path& folder) {
    PP_LET(auto names, durable::list_names(folder));
    std::erase_if(names, [](const auto& name) { return !name.starts_with(aside_prefix) || number_of(name) == 0; });
    std::sort(names.begin(), names.end(), [](const auto& a, const auto& b) { return number_of(a) < number_of(b); });
    return names;
}

result<std::uint64_t> count_damaged_rows(const index& rows) {
    std::uint64_t damaged = 0;
    PP_TRY(rows.read([&](MDB_txn* txn) -> result<void> {
        for (std::size_t i = 0; i < table_count; ++i) {
            const auto t = static_cast<table>(i);
            if (t == table::seed_of || t == table::due) continue;   // only keys
            PP_TRY(rows.each_key(txn, t, {}, {}, [&](bytes_view key) -> result<bool> {
                if (t == table::meta && as_text(key) == identity_key) return true;
                const auto plain = rows.get(txn, t, key);
                if (!plain && plain.error() != storage::errc::damaged) return failure{plain.error()};
                if (!plain || (*plain && !is_sound_row(t, key, **plain))) ++damaged;
                return true;
            }));
        }
        return {};
    }));
    return damaged;
}

result<std::unique_ptr<index>> open_index(const std::filesystem::path& folder, const crypto::row_key& key,
                                          std::uint64_t checked_bytes, view_marks& marks, recovery_report& report) {
    const auto path = folder / "index";
    for (const auto* left : {"index.rebuild", "index.rebuild-lock"}) PP_TRY(durable::unlink_file(folder / left));
    if (durable::exists(path)) {
        PP_LET(auto whole, trusted(path, key, checked_bytes, marks));
        if (whole) {
            marks.opened();
            keep_identity(folder, *whole);
            return whole;
        }
        PP_LET(const auto before, indexes_put_aside(folder));
        const auto n = before.empty() ? 1 : number_of(before.back()) + 1;
        PP_TRY(durable::rename_file(path, folder / (std::string(aside_prefix) + std::to_string(n))));
        PP_TRY(durable::sync_directory(folder));
        marks.opened();
    }
    // Put aside just now, or before a crash while its successor was made.
    PP_LET(const auto aside, indexes_put_aside(folder));
    if (!aside.empty()) PP_TRY(make_anew(folder, aside.back(), key, report));
    PP_LET(auto made, index::open(path, key));
    keep_identity(folder, *made);
    return made;
}

}  // namespace pp::storage::relay
