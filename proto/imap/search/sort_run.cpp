#include "proto/imap/search/sort_run.hpp"

namespace pp::imap {

wire::task<trouble> sort_hits(connection& c, std::uint64_t mailbox, const std::vector<sort_criterion>& order,
                              std::vector<search_hit>& hits) {
    if (hits.size() > sorted_mails_max) co_return no("Too many messages to sort", "LIMIT");
    sorter sorting(order);
    fields_reader reader(c, mailbox, hits);
    std::vector<fields_reader::piece> pieces;
    while (!reader.done()) {
        auto wrong = co_await reader.next(pieces);
        if (wrong || c.over) co_return wrong;
        for (const auto& piece : pieces) sorting.add(*piece.mail, *piece.fields);
        if (sorting.bytes() > sorted_text_bytes_max) co_return no("Too much text to sort", "LIMIT");
    }
    hits = sorting.sorted();
    co_return std::nullopt;
}

}  // namespace pp::imap
