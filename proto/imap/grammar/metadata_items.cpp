#include "proto/imap/grammar/metadata_items.hpp"

#include "proto/imap/grammar/response.hpp"

#include <algorithm>

namespace pp::imap {

namespace {
constexpr bool is_name_char(char c) { return c > ' ' && c < 0x7f && c != '*' && c != '%' && c != '"' && c != '\\'; }
}  // namespace

std::string metadata_name(parser& args) {
    auto name = args.astring();
    for (char& c : name)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool rooted =
        name.starts_with("/private/") || name.starts_with("/shared/") || name == "/private" || name == "/shared";
    if (name.size() > metadata_name_bytes_max) args.fail("An entry name is too long");
    if (!rooted || name.ends_with('/') || name.find("//") != name.npos ||
        !std::all_of(name.begin(), name.end(), is_name_char))
        args.fail("An entry name begins with /private/ or /shared/");
    return args.failed() ? std::string() : name;
}

std::vector<std::string> metadata_names(parser& args) {
    std::vector<std::string> names;
    const bool several = args.take('(');
    do {
        if (names.size() >= metadata_entries_asked_max) args.fail("Too many entries");
        names.push_back(metadata_name(args));
    } while (several && args.take(' '));
    if (several) args.expect(')');
    return names;
}

std::string metadata_pair(const metadata_entry& entry) {
    auto out = entry.name + ' ';
    if (!entry.value) return out + "NIL";
    if (entry.value->find('\0') != std::string::npos)
        return out + "~{" + std::to_string(entry.value->size()) + "}\r\n" + *entry.value;
    return out + string_text(*entry.value);
}

}  // namespace pp::imap
