// Pages of the full-text index from anybody: first byte even, a page of postings; odd, of fences; 0xff, a directory.
// Asserted: mails stay inside the segment, tokens rise, and what was read packs into pages that read the same.
#include "storage/text_segment.hpp"

#include <cstdlib>
#include <map>
#include <set>

using namespace pp;
using namespace pp::storage;

namespace {

using lists = std::map<text_token, std::set<segment_mail>>;

// False: damaged.
bool read(bytes_view page, std::uint32_t span, lists& out) {
    posting_reader reader(page);
    posting p;
    std::int64_t last = -1;
    while (reader.next(p)) {
        if (static_cast<std::int64_t>(p.token) <= last) std::abort();
        last = p.token;
        auto& mails = out[p.token];
        if (!p.each(span, [&](segment_mail m) {
                if (m >= span) std::abort();
                mails.insert(m);
            }))
            return false;
    }
    return reader.ok();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto in = std::as_bytes(std::span(data + 1, size - 1));
    if (data[0] == 0xff) {
        const auto d = decode_text_directory(in);
        if (d && decode_text_directory(encode_row(*d))->segments != d->segments) std::abort();
        return 0;
    }
    // Shorter inputs are the used part of a page.
    bytes page(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(std::min(in.size(), text_page_bytes)));
    page.resize(text_page_bytes);
    if (data[0] % 2 != 0) {
        const auto fences = read_fences(page);
        if (fences && (fences->empty() || fences->size() > text_page_bytes / 4)) std::abort();
        return 0;
    }
    const std::uint32_t span = data[0] < 128 ? 300 : segment_span_max;
    lists found;
    if (!read(page, span, found)) return 0;
    lists again;
    std::vector<bytes> pages;
    page_packer packer([&](bytes one) -> result<void> {
        pages.push_back(std::move(one));
        return {};
    });
    for (const auto& [token, mails] : found) {
        const std::vector<segment_mail> rising(mails.begin(), mails.end());
        if (!packer.add(token, rising)) std::abort();
    }
    if (!packer.finish()) std::abort();
    for (std::uint32_t i = 0; i < packer.posting_pages(); ++i)
        if (!read(pages[i], span, again)) std::abort();
    std::erase_if(found, [](const auto& one) { return one.second.empty(); });
    if (again != found) std::abort();
    return 0;
}
