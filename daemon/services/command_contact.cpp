// `invite`, `contact add`, `contact list`, `contact show`:
// how two accounts come to know each other (01-product 1.3, 1.6).
#include "daemon/engine/contacts.hpp"
#include "daemon/engine/people.hpp"
#include "daemon/engine/vcard.hpp"
#include "daemon/services/command_contacts.hpp"
#include "daemon/services/correspondents.hpp"
#include "daemon/services/requests.hpp"
#include "proto/mail/address.hpp"
#include "proto/peer/messages.hpp"
#include "proto/wire/clean_text.hpp"

namespace pp::services::commands {

namespace {

constexpr std::uint64_t invite_hours_default = 7 * 24, invite_hours_max = 366 * 24;
constexpr std::uint64_t invite_uses_max = 1000;
constexpr std::string_view link_scheme = "peerpost:";
constexpr std::string_view account_suffix = ".peerpost.alt";

std::string_view how_name(storage::known_by how) {
    switch (how) {
    case storage::known_by::invite_used: return "invite_used";
    case storage::known_by::invite_given: return "invite_given";
    case storage::known_by::address: return "address";
    case storage::known_by::request: return "request";
    case storage::known_by::card: return "card";
    }
    return "unknown";
}

storage::contact from_link(const std::string& text, peer::letter& told) {
    const auto link = peer::decode_link(text);
    if (!link)
        refuse(EX_DATAERR, "this is no invite link, or it was damaged in copying (" + link.error().message() +
                               "); copy it again from \"peerpost:\" to its last character");
    auto made = engine::contact_from_invite(*link, now_s());
    if (!made)
        refuse(EX_DATAERR, "this invite expired at " + iso_time(link->expires_at * 1000) +
                               "; ask for a new one, made with: peerpost invite");
    told.grants = link->grants;
    return std::move(*made);
}

// local@<label>.peerpost.alt, or the bare label.
storage::contact from_address(const std::string& text) {
    std::string label = text;
    if (text.find('@') != text.npos) {
        const auto address = mail::parse_address(text);
        if (!address) refuse(EX_DATAERR, "\"" + text + "\" is neither an invite link nor a mail address");
        if (!address->domain.ends_with(account_suffix))
            refuse(EX_DATAERR,
                   "\"" + text + "\" is not an address of peerpost: those end in " + std::string(account_suffix));
        label = address->domain;
    }
    if (label.ends_with(account_suffix)) label.resize(label.size() - account_suffix.size());
    const auto key = crypto::parse_account_label(label);
    if (!key)
        refuse(EX_DATAERR, key.error() == crypto::errc::bad_checksum
                               ? "this address has a typing error: its checksum does not fit; copy it again"
                               : "\"" + text + "\" is neither an invite link nor an address of peerpost");
    storage::contact made;
    made.account = *key;
    made.how = storage::known_by::address;
    return made;
}

// A card file: the link or the address that stands in it.
storage::contact from_card(const std::string& text, peer::letter& told) {
    const auto card = engine::read_vcard(text);
    if (!card) refuse(EX_DATAERR, "this card holds neither an invite link nor an address of peerpost");
    auto link = card->contact;
    std::erase_if(link, [](unsigned char ch) { return ch <= ' '; });
    auto made = link.starts_with(link_scheme) ? from_link(link, told) : from_address(link);
    made.how = storage::known_by::card;
    if (made.name.empty()) made.name = wire::clean_text(card->name, peer::name_bytes_max);
    return made;
}

constexpr std::string_view card_begin = "BEGIN:VCARD";

}  // namespace

json::object describe(const storage::contact& p) {
    json::array endpoints;
    for (const auto& endpoint : p.endpoints) endpoints.push_back(json::string(endpoint));
    return {{"account", crypto::account_label(p.account)},
            {"address", engine::shown_address(p)},
            {"name", p.name},
            {"how", how_name(p.how)},
            {"how_text", engine::sentence_of(p.how)},
            {"accepted", p.accepted},
            {"blocked", p.blocked},
            {"removed", p.removed_at != 0},
            {"verified", p.verified_at != 0},
            {"verified_at", iso_time(p.verified_at)},
            {"since", iso_time(p.since)},
            {"endpoints", std::move(endpoints)}};
}

storage::contact one_contact(const account& a, const std::string& who) {
    if (who.empty()) refuse(EX_USAGE, "name a contact: its name, its address or the first letters of its label");
    const auto all = value_of(a.store().read([](const storage::read_txn& txn) { return txn.contacts(); }),
                              "the contacts cannot be read");
    const auto found = engine::named(all, who);
    if (found.size() == 1) return found.front();
    if (found.empty()) refuse(EX_NOUSER, "there is no contact \"" + who + "\"; see: peerpost contact list --all");
    std::string list;
    for (const auto& c : found) list += "\n  " + engine::shown_address(c);
    refuse(EX_DATAERR, "\"" + who + "\" may mean several; name the address:" + list);
}

crypto::account_key one_account(const account& a, const std::string& who) {
    const auto all = value_of(a.store().read([](const storage::read_txn& txn) { return txn.contacts(); }),
                              "the contacts cannot be read");
    return engine::named(all, who).empty() && who.ends_with(account_suffix) ? from_address(who).account
                                                                            : one_contact(a, who).account;
}

// account, hours (lifetime), uses.
json::value invite(const call& c) {
    c.only({"account", "hours", "uses"});
    account& a = c.chosen_account();
    const auto hours = c.number("hours", invite_hours_default, 1, invite_hours_max);
    const auto uses = c.number("uses", 1, 1, invite_uses_max);
    const auto expires_at = now_ms() + static_cast<storage::unix_ms>(hours) * 3600 * 1000;
    auto link = value_of(c.n.new_invite(a, std::chrono::hours(hours), static_cast<std::uint32_t>(uses)),
                         "the invite could not be made");
    return json::object{{"link", std::move(link)},
                        {"account", a.label()},
                        {"address", a.address()},
                        {"expires", iso_time(expires_at)},
                        {"uses", uses}};
}

// account, contact (link, address or the text of a card), name (display name; else the one in the link), new_key
// (another contact has this name and another key, and the user says that this is right).
json::value contact_add(const call& c) {
    c.only({"account", "contact", "name", "new_key"});
    account& a = c.chosen_account();
    auto text = c.text("contact");
    const bool is_card = text.starts_with(card_begin);
    // a link is often wrapped by what carried it
    if (!is_card) std::erase_if(text, [](unsigned char ch) { return ch <= ' '; });
    if (text.empty()) refuse(EX_USAGE, "name an invite link or an address");
    peer::letter told;                                       // delivery tokens that came with the invite
    auto fresh = is_card                         ? from_card(text, told)
                 : text.starts_with(link_scheme) ? from_link(text, told)
                                                 : from_address(text);
    if (fresh.account == a.key())
        refuse(EX_DATAERR, text.starts_with(link_scheme)
                               ? "this is your own invite: give it to the person who is to write to you"
                               : "this is your own address; mail to it arrives without a contact");
    const auto name = c.text("name");
    if (auto why = wrong_name(name); !why.empty()) refuse(EX_USAGE, std::move(why));
    fresh.since = now_ms();

    bool is_new = false;
    storage::contact stored;
    std::optional<storage::contact> same_name;
    value_of(c.n.write(a,
                       [&](storage::write_txn& txn) -> result<void> {
                           auto known = txn.get_contact(fresh.account);
                           if (!known) return known.error();
                           const auto before = std::move(*known);
                           is_new = !before;
                           stored = is_new ? fresh : engine::added_again(*before, fresh, now_ms());
                           if (!name.empty()) stored.name = name;
                           same_name.reset();
                           if (!c.flag("new_key") && !(before && before->accepted && before->name == stored.name)) {
                               auto all = txn.contacts();
                               if (!all) return all.error();
                               if (const auto* other = engine::same_name_other_key(stored, *all)) same_name = *other;
                               if (same_name) return {};   // nothing is changed
                           }
                           if (auto r = settle_contact(txn, a, before, stored, {.user_knows = true}); !r) return r;
                           return learn_from(txn, stored.account, told, now_s(), now_s());
                       }),
             "the contact could not be stored");
    if (same_name) refuse(EX_DATAERR, same_name_text(*same_name, "contact add ... --new-key"));
    c.n.delivery_work(a.label());
    auto out = describe(stored);
    out["new"] = is_new;
    return out;
}

// account, all (also those that were removed).
json::value contact_list(const call& c) {
    c.only({"account", "all"});
    const account& a = c.chosen_account();
    const auto people = value_of(a.store().read([](const storage::read_txn& txn) { return txn.contacts(); }),
                                 "the contacts cannot be read");
    json::array rows;
    for (const auto& p : people)
        if (p.removed_at == 0 || c.flag("all")) rows.push_back(describe(p));
    return json::object{{"account", a.label()}, {"contacts", std::move(rows)}};
}

// account, contact (name, address, label or its beginning).
json::value contact_show(const call& c) {
    c.only({"account", "contact"});
    const account& a = c.chosen_account();
    const auto p = one_contact(a, c.text("contact"));
    auto out = describe(p);
    const auto code = peer::compare_keys(a.key(), p.account);
    out["code"] = code.digits();
    json::array devices, relays;
    if (const auto record = peer::decode_account_record(p.record)) {
        for (const auto& d : record->devices)
            devices.push_back(json::object{{"name", d.name}, {"device", crypto::hex(d.device.view())}});
        for (const auto& r : record->relays) relays.push_back(json::string(r));
        out["record_made"] = iso_time(static_cast<storage::unix_ms>(record->sequence));
    }
    out["devices"] = std::move(devices);
    out["relays"] = std::move(relays);
    return out;
}

}  // namespace pp::services::commands
