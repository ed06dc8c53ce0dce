#include "proto/imap/grammar/list_name.hpp"

#include "proto/imap/grammar/response.hpp"

namespace pp::imap {

std::string list_name_line(const std::vector<surveyed_mailbox>& all, std::string_view name, std::string_view old_name,
                           bool utf8) {
    const mailbox_entry* entry = nullptr;
    bool has_children = false;
    for (const auto& one : all) {
        const auto& other = one.entry.name;
        if (other == name) entry = &one.entry;
        has_children |=
            one.entry.exists && other.size() > name.size() && other.starts_with(name) && other[name.size()] == '/';
    }
    std::string line = "LIST (";
    if (entry == nullptr || !entry->exists) line += "\\NonExistent ";
    line += has_children ? "\\HasChildren" : "\\HasNoChildren";
    if (entry != nullptr && entry->subscribed) line += " \\Subscribed";
    if (entry != nullptr && entry->use != special_use::none) line += ' ' + use_text(entry->use);
    line += ") \"/\" " + mailbox_text(name, utf8);
    return line + old_name_item(old_name, utf8);
}

std::string old_name_item(std::string_view old_name, bool utf8) {
    return old_name.empty() ? std::string() : " (\"OLDNAME\" (" + mailbox_text(old_name, utf8) + "))";
}

}  // namespace pp::imap
