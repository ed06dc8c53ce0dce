// The data file of LMDB 0.9 (data version 1), 64 bit, little-endian, as Debian 12 has it (lmdb.h, mdb.c):
//
//   page    number 8, pad 2, flags 2, lower 2, upper 2 (an overflow page: count 4), places of the nodes 2 each
//   node    leaf: value length 4, flags 2, key length 2, key, value (or 8 B: page of the value)
//           branch: page 4, page bits 32-47 2, key length 2, key
//   meta    behind a page's 16 B: magic 4, version 4, address 8, map size 8, tree of free pages 48, tree of tables 48,
//           last page 8, transaction 8. The tree record of the free pages carries page size and flags of the file
//   tree    pad 4, flags 2, depth 2, branch pages 8, leaf pages 8, overflow pages 8, entries 8, root page 8
#include "storage/view_structure.hpp"

#include "crypto/primitives.hpp"
#include "storage/attempt.hpp"
#include "storage/codec.hpp"
#include "storage/durable.hpp"
#include "storage/table.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace pp::storage {

namespace {

constexpr std::uint32_t magic = 0xBEEFC0DE, data_version = 1;
constexpr std::size_t lmdb_header_bytes = 16, node_header_bytes = 8, tree_bytes = 48;
constexpr std::uint16_t branch_page = 1, leaf_page = 2, overflow_page = 4, meta_page = 8;
constexpr std::uint16_t value_elsewhere = 1, holds_tree = 2;
constexpr std::uint16_t integer_keys = 8;                    // of the tree of free pages, and of no other
constexpr std::uint64_t no_page = ~0ull;
constexpr std::size_t depth_max = 32;                        // mdb.c, CURSOR_STACK
constexpr std::size_t key_bytes_max = 511;                   // mdb.c, MDB_MAXKEYSIZE
constexpr std::size_t free_key_bytes = 8;
constexpr std::uint64_t map_bytes_max = 1ull << 44;          // far below what an address space has, far above any view
constexpr std::uint64_t transaction_max = 1ull << 56;        // more than the years to come have microseconds
// more than any peerpost has; a newer view is for others to refuse
constexpr std::size_t tables_max = 128;
constexpr std::size_t meta_bytes = 24 + 2 * tree_bytes + 16;

std::uint64_t number(bytes_view in, std::size_t at, std::size_t n) {
    std::uint64_t v = 0;
    for (std::size_t i = n; i-- > 0;) v = v << 8 | static_cast<std::uint64_t>(in[at + i]);
    return v;
}
std::uint16_t u16(bytes_view in, std::size_t at) { return static_cast<std::uint16_t>(number(in, at, 2)); }

struct tree {
    std::uint32_t pad = 0;
    std::uint16_t flags = 0, depth = 0;
    std::uint64_t branch_pages = 0, leaf_pages = 0, overflow_pages = 0, entries = 0, root = no_page;

    static tree decode(bytes_view in) {
        return {static_cast<std::uint32_t>(number(in, 0, 4)), u16(in, 4),        u16(in, 6),
                number(in, 8, 8), number(in, 16, 8), number(in, 24, 8), number(in, 32, 8), number(in, 40, 8)};
    }
};

struct meta {
    tree free, tables;
    std::uint64_t last_page = 0, transaction = 0;
};

struct node {
    bytes_view key, value;         // value: only where it stands in the page
    std::uint64_t value_bytes = 0;
    std::uint64_t page = 0;        // of the child, or of the value when that stands elsewhere
    std::uint16_t flags = 0;
};

bool before(bytes_view a, bytes_view b) { return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end()); }
// Keys of the tree of free pages are transactions.
bool earlier(bytes_view a, bytes_view b) { return number(a, 0, free_key_bytes) < number(b, 0, free_key_bytes); }

class checker {
public:
    checker(const durable::file& f, structure_depth how, const key_hash* hash) : file_(f), how_(how), hash_(hash) {}

    result<structure_report> run() {
        PP_LET(const auto newest, begin());
        PP_TRY(walk(newest.tables, kind::tables));
        if (hash_ && how_ == structure_depth::whole) report_.keys_sum = 0;
        for (const auto& [name, t] : tables_) {
            table_ = name;
            PP_TRY(walk(t, kind::rows));
        }
        PP_TRY(walk(newest.free, kind::free));
        // A free page that is also in use would be written over.
        for (const auto page : free_) {
            auto used = used_[static_cast<std::size_t>(page)];
            if (used) return errc::damaged;
            used = true;
        }
        return report_;
    }

    result<std::vector<std::uint64_t>> run_free() {
        PP_LET(const auto newest, begin());
        PP_TRY(walk(newest.free, kind::free));
        return free_;
    }

private:
    enum class kind { tables, rows, free };
    struct counts {
        std::uint64_t branch_pages = 0, leaf_pages = 0, overflow_pages = 0, entries = 0;
    };

    result<meta> begin() {
        PP_LET(report_.file_bytes, file_.size());
        PP_LET(const auto newest, newest_meta());
        const std::uint64_t reach = report_.file_bytes / page_bytes_;
        if (newest.last_page < 1 || newest.last_page >= reach) return errc::damaged;
        last_page_ = newest.last_page;
        transaction_ = newest.transaction;
        if (how_ == structure_depth::whole) used_.assign(static_cast<std::size_t>(last_page_ + 1), false);
        return newest;
    }

    result<meta> read_meta(std::uint64_t page) {
        bytes raw(lmdb_header_bytes + meta_bytes);
        PP_LET(const auto n, file_.read_at(page * page_bytes_, raw));
        if (n != raw.size() || number(raw, 0, 8) != page || !(u16(raw, 10) & meta_page)) return errc::damaged;
        const auto in = bytes_view(raw).subspan(lmdb_header_bytes);
        if (number(in, 0, 4) != magic || number(in, 4, 4) != data_version || number(in, 16, 8) > map_bytes_max)
            return errc::damaged;
        meta m{tree::decode(in.subspan(24)), tree::decode(in.subspan(24 + tree_bytes)),
               number(in, 24 + 2 * tree_bytes, 8), number(in, 32 + 2 * tree_bytes, 8)};
        // The lowest byte of the flags decides how keys are compared and where the file is mapped.
        if ((m.free.flags & 0xff) != integer_keys || m.tables.flags != 0) return errc::damaged;
        return m;
    }

    result<meta> newest_meta() {
        bytes first(lmdb_header_bytes + meta_bytes);
        PP_LET(const auto n, file_.read_at(0, first));
        if (n != first.size()) return errc::damaged;
        page_bytes_ = number(first, lmdb_header_bytes + 24, 4);
        if (page_bytes_ < 4096 || page_bytes_ > 32768 || (page_bytes_ & (page_bytes_ - 1)) != 0) return errc::damaged;
        PP_LET(const auto a, read_meta(0));
        PP_LET(const auto b, read_meta(1));
        if (b.free.pad != page_bytes_) return errc::damaged;
        const auto& newest = a.transaction < b.transaction ? b : a;
        // Even transactions write the first page, odd ones the second, and with a lock file LMDB reads by that as well.
        if (newest.transaction % 2 != (&newest == &b) || newest.transaction > transaction_max) return errc::damaged;
        return newest;
    }

    result<void> read_page(std::uint64_t number_of, std::size_t pages, bytes& into) {
        if (number_of < 2 || number_of > last_page_ || pages > last_page_ + 1 - number_of) return errc::damaged;
        if (how_ == structure_depth::whole)
            for (std::size_t i = 0; i < pages; ++i) {
                auto used = used_[static_cast<std::size_t>(number_of + i)];
                if (used) return errc::damaged;   // reached twice
                used = true;
            }
        into.resize(static_cast<std::size_t>(page_bytes_));
        PP_LET(const auto n, file_.read_at(number_of * page_bytes_, into));
        if (n != into.size() || number(into, 0, 8) != number_of) return errc::damaged;
        ++report_.pages;
        return {};
    }

    // All nodes of a page; they fill it exactly from `upper` to its end, none over another: where one is deleted, all
    // that stands below it is moved up.
    result<void> nodes_of(bytes_view page, std::vector<node>& out) {
        const bool branch = u16(page, 10) == branch_page;
        const std::size_t lower = u16(page, 12), upper = u16(page, 14);
        if (lower < lmdb_header_bytes || lower % 2 || lower > upper || upper > page.size()) return errc::damaged;
        const std::size_t n = (lower - lmdb_header_bytes) / 2;
        places_.clear();
        out.clear();
        for (std::size_t i = 0; i < n; ++i) {
            const std::size_t at = u16(page, lmdb_header_bytes + 2 * i);
            if (at < upper || at % 2 || at + node_header_bytes > page.size()) return errc::damaged;
            const auto raw = page.subspan(at);
            const std::size_t key_bytes = u16(raw, 6);
            if (key_bytes > key_bytes_max || node_header_bytes + key_bytes > raw.size()) return errc::damaged;
            node x;
            x.key = raw.subspan(node_header_bytes, key_bytes);
            std::size_t size = node_header_bytes + key_bytes;
            if (branch) {
                x.page = number(raw, 0, 4) | static_cast<std::uint64_t>(u16(raw, 4)) << 32;
            } else {
                x.flags = u16(raw, 4);
                x.value_bytes = number(raw, 0, 4);
                const auto here = x.flags & value_elsewhere ? 8 : x.value_bytes;
                if (key_bytes == 0 || here > raw.size() - size) return errc::damaged;
                x.value = raw.subspan(size, static_cast<std::size_t>(here));
                if (x.flags & value_elsewhere) x.page = number(x.value, 0, 8);
                size += static_cast<std::size_t>(here);
                // Two fit into every page, or a full one could not be split.
                if (size > page_bytes_ / 2 - lmdb_header_bytes / 2 - sizeof(std::uint16_t)) return errc::damaged;
            }
            places_.emplace_back(at, at + size + size % 2);
            out.push_back(x);
        }
        std::sort(places_.begin(), places_.end());
        std::size_t filled = upper;
        for (const auto& [from, to] : places_)
            if (from != std::exchange(filled, to)) return errc::damaged;
        if (filled != page.size()) return errc::damaged;
        return {};
    }

    result<void> walk(const tree& t, kind k) {
        if (k == kind::rows && t.flags != 0) return errc::damaged;
        if (t.root == no_page) {
            if (t.depth || t.entries || t.branch_pages || t.leaf_pages || t.overflow_pages) return errc::damaged;
            return {};
        }
        if (t.depth == 0 || t.depth > depth_max) return errc::damaged;
        counts seen;
        PP_TRY(subtree(t.root, t.depth, k, {}, {}, seen));
        if (how_ == structure_depth::whole || k == kind::tables)
            if (seen.branch_pages != t.branch_pages || seen.leaf_pages != t.leaf_pages ||
                seen.overflow_pages != t.overflow_pages || seen.entries != t.entries)
                return errc::damaged;
        return {};
    }

    // levels: of this subtree. Keys lie from `low` (empty: no bound) to below `high`.
    result<void> subtree(std::uint64_t at, std::size_t levels, kind k, bytes_view low, bytes_view high, counts& seen) {
        bytes page;
        PP_TRY(read_page(at, 1, page));
        const auto flags = u16(page, 10);
        if (flags != (levels == 1 ? leaf_page : branch_page)) return errc::damaged;
        std::vector<node> nodes;
        PP_TRY(nodes_of(page, nodes));
        // mdb.c asserts that a branch has two children.
        if (nodes.size() < (flags == branch_page ? 2 : 1)) return errc::damaged;
        const auto less = k == kind::free ? earlier : before;
        const std::size_t first = flags == branch_page ? 1 : 0;   // the first key of a branch is not looked at
        for (std::size_t i = first; i < nodes.size(); ++i) {
            if (k == kind::free && nodes[i].key.size() != free_key_bytes) return errc::damaged;
            if (i > first && !less(nodes[i - 1].key, nodes[i].key)) return errc::damaged;
            if (!low.empty() && less(nodes[i].key, low)) return errc::damaged;
            if (!high.empty() && !less(nodes[i].key, high)) return errc::damaged;
        }
        if (flags == branch_page) {
            ++seen.branch_pages;
            if (how_ == structure_depth::roots && k != kind::tables) return {};
            for (std::size_t i = 0; i < nodes.size(); ++i)
                PP_TRY(subtree(nodes[i].page, levels - 1, k, i == 0 ? low : nodes[i].key,
                               i + 1 < nodes.size() ? nodes[i + 1].key : high, seen));
            return {};
        }
        ++seen.leaf_pages;
        seen.entries += nodes.size();
        for (const auto& n : nodes) PP_TRY(leaf(n, k, seen));
        return {};
    }

    result<void> leaf(const node& n, kind k, counts& seen) {
        if (k == kind::tables) {
            if (n.flags != holds_tree || n.value_bytes != tree_bytes || tables_.size() >= tables_max)
                return errc::damaged;
            tables_.emplace_back(as_text(n.key), tree::decode(n.value));
            return {};
        }
        if (n.flags != 0 && n.flags != value_elsewhere) return errc::damaged;
        // LMDB takes a list it has met under 0 for none so far, and a list of later than now for its own.
        if (k == kind::free)
            if (const auto freed_by = number(n.key, 0, free_key_bytes); freed_by == 0 || freed_by > transaction_)
                return errc::damaged;
        if (k == kind::rows && report_.keys_sum) *report_.keys_sum += (*hash_)(table_, n.key);
        bytes elsewhere;
        bytes_view value = n.value;
        if (n.flags & value_elsewhere) {
            if (how_ == structure_depth::roots) return {};
            PP_LET(elsewhere, overflow(n, k == kind::free, seen));
            value = bytes_view(elsewhere).subspan(std::min(lmdb_header_bytes, elsewhere.size()));
        }
        if (k != kind::free || how_ == structure_depth::roots) return {};
        return free_pages(n, value);
    }

    // The page of a value that stands elsewhere; all of them when it is a list of free pages.
    result<bytes> overflow(const node& n, bool all, counts& seen) {
        const auto needed = (lmdb_header_bytes - 1 + n.value_bytes) / page_bytes_ + 1;
        if (needed > last_page_) return errc::damaged;
        bytes page;
        PP_TRY(read_page(n.page, 1, page));
        const auto have = number(page, 12, 4);
        if (u16(page, 10) != overflow_page || have < needed || have > last_page_ + 1 - n.page) return errc::damaged;
        for (std::uint64_t i = 1; i < have && how_ == structure_depth::whole; ++i) {
            auto used = used_[static_cast<std::size_t>(n.page + i)];
            if (used) return errc::damaged;
            used = true;
        }
        seen.overflow_pages += have;
        if (!all) return page;
        bytes whole(lmdb_header_bytes + static_cast<std::size_t>(n.value_bytes));
        PP_LET(const auto got, file_.read_at(n.page * page_bytes_, whole));
        if (got != whole.size()) return errc::damaged;
        return whole;
    }

    // A count and so many page numbers, falling; the rest of the value is room.
    result<void> free_pages(const node& n, bytes_view value) {
        if (n.value_bytes < 8 || value.size() < n.value_bytes) return errc::damaged;
        const auto count = number(value, 0, 8);
        if (count > n.value_bytes / 8 - 1) return errc::damaged;
        std::uint64_t previous = no_page;
        for (std::uint64_t i = 0; i < count; ++i) {
            const auto page = number(value, static_cast<std::size_t>(8 * (i + 1)), 8);
            if (page < 2 || page > last_page_ || page >= previous) return errc::damaged;
            free_.push_back(page);
            previous = page;
        }
        return {};
    }

    const durable::file& file_;
    const structure_depth how_;
    const key_hash* const hash_;
    structure_report report_;
    std::uint64_t page_bytes_ = 0, last_page_ = 0, transaction_ = 0;
    std::vector<bool> used_;
    std::vector<std::pair<std::size_t, std::size_t>> places_;   // of the nodes of one page: from, to
    std::vector<std::pair<std::string, tree>> tables_;
    std::string table_;                 // whose rows are walked
    std::vector<std::uint64_t> free_;   // at most the pages of the file
};

}  // namespace

namespace {
constexpr std::size_t read_ahead_bytes = 1024 * 1024;

// Pages are looked at in the order of the trees, which is any order on the disk: they come into the page cache in one
// go first, or a cold start waits for each of them.
void warm_up(const durable::file& file) {
    bytes piece(read_ahead_bytes);
    for (std::uint64_t at = 0;; at += piece.size()) {
        const auto n = file.read_at(at, piece);
        if (!n || *n < piece.size()) return;
    }
}
}  // namespace

result<structure_report> check_view_structure(const std::filesystem::path& path, structure_depth how,
                                              const key_hash* hash) {
    PP_LET(const auto file, durable::open_file(path, durable::mode::read));
    if (how == structure_depth::whole) warm_up(file);
    checker c(file, how, hash);
    return c.run();
}

result<std::vector<std::uint64_t>> free_pages_of_view(const std::filesystem::path& path) {
    PP_LET(const auto file, durable::open_file(path, durable::mode::read));
    checker c(file, structure_depth::whole, nullptr);
    return c.run_free();
}

result<bytes> view_fingerprint(const std::filesystem::path& path) {
    PP_LET(const auto file, durable::open_file(path, durable::mode::read));
    PP_LET(const auto size, file.size());
    bytes metas(2 * 4096);
    PP_LET(const auto n, file.read_at(0, metas));
    metas.resize(n);
    byte_writer w;
    w.u64(size);
    w.raw(metas);
    return to_bytes(crypto::sha256(w.out()).view());
}

}  // namespace pp::storage
