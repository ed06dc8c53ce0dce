// Search arguments from anybody, evaluated against a mail from anybody (RFC 9051 section 6.4.4). First byte: the size
// of the criteria; then the criteria, then the mail. Asserted: a scan gives the same whether the mail comes in large
// pieces or small ones, stays inside the mail, rises, ends, and leaves nothing undecided;
// HTML reduces the same in any pieces.
#include "proto/imap/search/search_program.hpp"
#include "proto/imap/search/search_scanner.hpp"

#include <algorithm>
#include <cstdlib>

using namespace pp;
using namespace pp::imap;

namespace {

struct some_sets : search_sets {
    std::uint32_t last_number() const override { return 9; }
    std::uint32_t last_uid() const override { return 99; }
    const mail::uid_set& saved_result() const override { return saved; }
    mail::uid_set saved = mail::uid_set::of(3, 30);
};

truth scanned(const search_program& program, const std::shared_ptr<const mail::message_index>& index,
              const message_row& row, std::string_view text, std::uint64_t piece) {
    search_facts known;
    known.number = 3;
    known.uid = 33;
    const auto fields = search_fields::of(*index);
    known.fields = fields.get();
    known.row = &row;
    known.has_header = true;
    search_scanner scanner(program, open_text_keys(program, known), index);
    std::uint64_t at = 0;
    while (const auto wanted = scanner.wants()) {
        if (wanted->length == 0 || wanted->offset < at || wanted->offset + wanted->length > text.size()) std::abort();
        at = wanted->offset;
        scanner.give(text.substr(wanted->offset, std::min(wanted->length, piece)));
    }
    const auto texts = scanner.result();
    known.texts = &texts;
    const auto value = evaluate(program, known);
    if (value == truth::unknown) std::abort();
    return value;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
    const auto criteria = input.substr(0, data[0]);
    const auto text = input.substr(criteria.size());

    std::string whole, split;
    html_reducer one, two;
    one.update(text, whole);
    for (const char c : text) two.update(std::string_view(&c, 1), split);
    if (whole != split) std::abort();

    parser args(criteria);
    const auto program = parse_search(args, some_sets());
    if (args.failed()) return 0;
    if (program.keys.empty() || program.keys.size() > search_keys_max) std::abort();
    for (std::uint32_t n = 0; n < program.keys.size(); ++n)
        for (const auto child : program.keys[n].children)
            if (child >= n) std::abort();   // a tree: evaluation ends
    const auto index = std::make_shared<const mail::message_index>(mail::index_message(text));
    message_row row;
    row.uid = 33;
    row.header = text.substr(0, index->parts.front().header_bytes);
    row.size_bytes = text.size();
    if (scanned(program, index, row, text, body_piece_bytes_max) != scanned(program, index, row, text, 3)) std::abort();
    return 0;
}
