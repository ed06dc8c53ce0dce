// `account add`, `account list`, `account name`, `password new`, `password list`, `password revoke`.
#include "daemon/services/command_support.hpp"
#include "proto/peer/messages.hpp"
#include "proto/wire/clean_text.hpp"

#include <algorithm>

namespace pp::services::commands {

namespace {

constexpr std::size_t password_name_bytes_max = 64;

std::vector<storage::app_password> passwords_of(const account& a) {
    return value_of(a.store().read([](const storage::read_txn& txn) { return txn.passwords(); }),
                    "the passwords cannot be read");
}

void check_name(const std::string& name) {
    if (auto why = wrong_name(name); !why.empty()) refuse(EX_USAGE, std::move(why));
}

}  // namespace

// name: display name, may be empty.
json::value account_add(const call& c) {
    c.only({"name"});
    const auto name = c.text("name");
    check_name(name);
    const auto made = value_of(c.n.add_account(name), "the account could not be made");
    return json::object{{"address", made.address},
                        {"account", made.label},
                        {"password", made.password},
                        {"recovery_words", made.recovery_words}};
}

json::value account_list(const call& c) {
    c.only({});
    json::array rows;
    for (const account* a : c.n.accounts())
        rows.push_back(json::object{{"address", a->address()}, {"account", a->label()}, {"name", a->name()}});
    return json::object{{"accounts", std::move(rows)}};
}

// account, name (the new one).
json::value account_name(const call& c) {
    c.only({"account", "name"});
    account& a = c.chosen_account();
    const auto name = c.text("name");
    check_name(name);
    if (name.find_first_not_of(' ') == name.npos)
        refuse(EX_USAGE,
               "the name must not be empty: others could not tell who writes to them; give one with: peerpost account "
               "name NAME");
    const auto address_before = a.address(), name_before = a.name();
    const bool changed = name != name_before;
    if (changed) value_of(c.n.rename(a, name), "the name could not be changed");
    return json::object{{"account", a.label()},     {"address", a.address()},   {"name", a.name()},
                        {"changed", changed},       {"address_before", address_before},
                        {"name_before", name_before}};
}

// account, name (of the client that will use it).
json::value password_new(const call& c) {
    c.only({"account", "name"});
    account& a = c.chosen_account();
    const auto name = c.text("name");
    if (name.empty() || name.size() > password_name_bytes_max || !wire::is_clean_text(name))
        refuse(EX_USAGE, "a password needs a name of 1 to " + std::to_string(password_name_bytes_max) +
                             " bytes in UTF-8, such as the client's: peerpost password new --name phone");
    for (const auto& known : passwords_of(a))
        if (known.name == name)
            refuse(EX_CANTCREAT,
                   "there is a password of this name already; revoke it first: peerpost password revoke " + name);
    auto password = value_of(c.n.new_password(a, name), "the password could not be made");
    return json::object{
        {"account", a.label()}, {"address", a.address()}, {"name", name}, {"password", std::move(password)}};
}

// account.
json::value password_list(const call& c) {
    c.only({"account"});
    const account& a = c.chosen_account();
    json::array rows;
    for (const auto& p : passwords_of(a))
        rows.push_back(json::object{{"id", crypto::hex(p.id)},
                                    {"name", p.name},
                                    {"created", iso_time(p.created_at)},
                                    {"last_used", iso_time(p.last_used_at)}});
    return json::object{{"account", a.label()}, {"passwords", std::move(rows)}};
}

// account, password (its name or id).
json::value password_revoke(const call& c) {
    c.only({"account", "password"});
    account& a = c.chosen_account();
    const auto wanted = c.text("password");
    const auto known = passwords_of(a);
    const auto found = std::find_if(known.begin(), known.end(), [&](const storage::app_password& p) {
        return p.name == wanted || crypto::hex(p.id) == wanted;
    });
    if (found == known.end())
        refuse(EX_DATAERR, "there is no password \"" + wanted + "\"; see: peerpost password list");
    value_of(c.n.write(a, [id = found->id](storage::write_txn& txn) { return txn.erase_password(id); }),
             "the password could not be revoked");
    return json::object{{"account", a.label()}, {"name", found->name}, {"left", known.size() - 1}};
}

}  // namespace pp::services::commands

namespace pp::services {

std::string wrong_name(std::string_view name) {
    if (name.size() <= peer::name_bytes_max && wire::is_clean_text(name)) return {};
    return "a name has at most " + std::to_string(peer::name_bytes_max) + " bytes, in UTF-8 and without control "
           "characters";
}

}  // namespace pp::services
