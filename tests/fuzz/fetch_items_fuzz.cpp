// FETCH arguments from anybody over a mail from anybody (RFC 9051 section 6.4.5). First byte: the size of the
// arguments; then these, then the mail. Asserted: what is accepted is echoed in a form that is accepted again and means
// the same; every range lies inside the mail;
// decoding does not depend on how the bytes are cut and never makes them more.
#include "proto/imap/fetch/fetch_items.hpp"
#include "proto/imap/fetch/fetch_transfer.hpp"

#include <cstdlib>

using namespace pp;
using namespace pp::imap;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
    const auto text = input.substr(0, data[0]);
    const auto content = input.substr(text.size());

    for (const auto encoding : {transfer_encoding::base64, transfer_encoding::quoted_printable}) {
        std::string whole, split;
        transfer_decoder one(encoding), two(encoding);
        one.update(content, whole);
        one.finish(whole);
        for (const char c : content) two.update(std::string_view(&c, 1), split);
        two.finish(split);
        if (whole != split || whole.size() > content.size()) std::abort();
    }

    parser args(text);
    const auto request = parse_fetch_request(args);
    args.end();
    if (args.failed()) return 0;
    if (request.items.empty()) std::abort();
    const auto index = mail::index_message(content);
    for (const auto& item : request.items) {
        if (item.kind != fetch_kind::section) continue;
        const auto echoed = item.section.text() + "]";
        parser again(echoed);
        const auto section = parse_section(again);
        again.end();
        if (again.failed() || !(section == item.section)) std::abort();
        const auto place = locate(item.section, index);
        if (!place) continue;
        const auto range = clip(*place, item.partial);
        if (place->offset + place->length > content.size() || range.length > place->length ||
            range.offset < place->offset || range.offset + range.length > place->offset + place->length)
            std::abort();
        if (item.partial && range.length > item.partial->count) std::abort();
    }
    return 0;
}
