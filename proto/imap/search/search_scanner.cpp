// RFC 9051 section 6.4.4: BODY looks into the text of the mail, TEXT into its header fields as well.
#include "proto/imap/search/search_scanner.hpp"

#include <algorithm>

namespace pp::imap {

namespace {

// Every key looks at every piece, and others have a turn between two pieces: hundreds of keys read in small ones.
constexpr std::size_t compared_bytes_per_piece = 8 * 1024 * 1024;
constexpr std::size_t piece_bytes_min = 8 * 1024;

bool any_in_headers(const search_program& program, const std::vector<std::uint32_t>& keys) {
    return std::any_of(keys.begin(), keys.end(), [&](auto key) { return program.keys[key].op == search_op::text; });
}

}  // namespace

search_scanner::search_scanner(const search_program& program, const std::vector<std::uint32_t>& keys,
                               std::shared_ptr<const mail::message_index> index)
    : key_count_(program.keys.size()), text_(std::move(index), any_in_headers(program, keys)), keys_(keys) {
    for (const auto number : keys) {
        const auto& key = program.keys[number];
        in_text_.add(number, key.needle);
        in_html_.add(number, key.needle);
        if (key.op == search_op::text) in_headers_.add(number, key.needle);
    }
}

bool search_scanner::all_found() const {
    // Found in either reading of the text is found.
    return std::all_of(keys_.begin(), keys_.end(), [&](std::uint32_t key) {
        for (const auto* finder : {&in_headers_, &in_text_, &in_html_})
            if (std::find(finder->found().begin(), finder->found().end(), key) != finder->found().end()) return true;
        return false;
    });
}

std::optional<byte_range> search_scanner::wants() const {
    auto next = text_.wants();
    if (!next) return next;
    if (all_found()) return std::nullopt;
    const auto piece = std::max(compared_bytes_per_piece / std::max<std::size_t>(keys_.size(), 1), piece_bytes_min);
    next->length = std::min<std::uint64_t>(next->length, piece);
    return next;
}

void search_scanner::give(std::string_view piece) { text_.give(piece, *this); }

std::vector<truth> search_scanner::result() const {
    std::vector<truth> out(key_count_, truth::unknown);
    if (!text_.wants())
        for (const auto key : keys_) out[key] = truth::no;
    for (const auto* finder : {&in_headers_, &in_text_, &in_html_})
        for (const auto key : finder->found()) out[key] = truth::yes;
    return out;
}

}  // namespace pp::imap
