#include "proto/imap/grammar/number_line.hpp"

#include <algorithm>

namespace pp::imap {

namespace {
constexpr std::size_t line_piece_bytes = 16 * 1024;   // between two looks at how much waits to be written
}

wire::task<> send_number_line(connection& c, std::string_view name, const search_program& program,
                              const std::vector<search_hit>& hits, bool uid) {
    std::string line = "* " + std::string(name);
    std::uint64_t modseq = 0;
    for (const auto& hit : hits) {
        line += ' ' + std::to_string(uid ? hit.uid : hit.number);
        modseq = std::max(modseq, hit.modseq);
        if (line.size() < line_piece_bytes) continue;
        c.send(line);
        line.clear();
        co_await c.drained();
        if (c.over) co_return;
    }
    if (program.uses_modseq && !hits.empty()) line += " (MODSEQ " + std::to_string(modseq) + ')';
    line += "\r\n";
    c.send(line);
}

wire::task<> send_long_line(connection& c, std::string_view line) {
    c.send("* ");
    while (!line.empty() && !c.over) {
        c.send(line.substr(0, line_piece_bytes));
        line.remove_prefix(std::min(line.size(), line_piece_bytes));
        co_await c.drained();
    }
    if (!c.over) c.send("\r\n");
}

reply unknown_charset() {
    return no("The charset is not supported",
              "BADCHARSET (US-ASCII UTF-8 ISO-8859-1 ISO-8859-2 ISO-8859-15 WINDOWS-1252 KOI8-R ISO-2022-JP SHIFT_JIS "
              "EUC-JP EUC-KR GB18030 BIG5)");
}

}  // namespace pp::imap
