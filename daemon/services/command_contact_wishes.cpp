// `contact accept`, `block`, `remove`, `verify`: what the user wants of somebody (engine/people.hpp). Acts at once, on
// links that are up as well: the courier looks at people whenever it is woken.
#include "daemon/engine/people.hpp"
#include "daemon/services/command_contacts.hpp"
#include "daemon/services/requests.hpp"

namespace pp::services::commands {

namespace {

using engine::wish;

// Who has not been heard of can be blocked, too.
storage::contact stranger(const crypto::account_key& who) {
    storage::contact made;
    made.account = who;
    made.how = storage::known_by::address;
    made.since = now_ms();
    return made;
}

// Writes the wish; the result says whether it changed anything.
json::value carry_out(const call& c, account& a, const crypto::account_key& who, wish what, bool new_key = false) {
    storage::contact stored;
    std::optional<storage::contact> same_name;
    bool changed = false;
    value_of(c.n.write(a,
                       [&](storage::write_txn& txn) -> result<void> {
                           auto known = txn.get_contact(who);
                           if (!known) return known.error();
                           if (!*known && what != wish::block) return storage::errc::not_found;
                           stored = *known ? **known : stranger(who);
                           auto after = engine::wished(stored, what, now_ms());
                           changed = after.has_value();
                           same_name.reset();
                           if (!after) return {};
                           if (!new_key && after->accepted && !stored.accepted) {
                               auto all = txn.contacts();
                               if (!all) return all.error();
                               if (const auto* other = engine::same_name_other_key(*after, *all)) same_name = *other;
                               if (same_name) return {};
                           }
                           stored = *after;
                           return settle_contact(txn, a, *known, std::move(*after), {.user_knows = true});
                       }),
             "the contact could not be changed");
    if (same_name) refuse(EX_DATAERR, same_name_text(*same_name, "the same command with --new-key"));
    c.n.delivery_work(a.label());
    auto out = describe(stored);
    out["changed"] = changed;
    return out;
}

}  // namespace

std::string same_name_text(const storage::contact& other, std::string_view how) {
    return "there is a contact called \"" + other.name + "\" already, with another key: " +
           engine::shown_address(other) + " (" + std::string(engine::sentence_of(other.how)) +
           "). If that person has told you of a new account, remove the old one or use " + std::string(how) +
           "; if not, somebody may be pretending to be that person: ask over a channel you trust. Nothing was changed";
}

// account, contact, new_key.
json::value contact_accept(const call& c) {
    c.only({"account", "contact", "new_key"});
    account& a = c.chosen_account();
    return carry_out(c, a, one_contact(a, c.text("contact")).account, wish::accept, c.flag("new_key"));
}

// account, contact, undo.
json::value contact_block(const call& c) {
    c.only({"account", "contact", "undo"});
    account& a = c.chosen_account();
    const bool undo = c.flag("undo");
    const auto who = undo ? one_contact(a, c.text("contact")).account : one_account(a, c.text("contact"));
    return carry_out(c, a, who, undo ? wish::unblock : wish::block);
}

// account, contact, undo.
json::value contact_remove(const call& c) {
    c.only({"account", "contact", "undo"});
    account& a = c.chosen_account();
    const auto p = one_contact(a, c.text("contact"));
    if (!c.flag("undo") && p.blocked)
        refuse(EX_DATAERR,
               "this account is blocked; removed, it could write to you again as a stranger. Leave it, or lift the "
               "block first: peerpost contact block --undo " +
                   engine::shown_address(p));
    return carry_out(c, a, p.account, c.flag("undo") ? wish::take_back : wish::remove);
}

// account, contact, code (what was read or scanned), same (the user has compared the strings). Without both: what is to
// be compared.
json::value contact_verify(const call& c) {
    c.only({"account", "contact", "code", "same"});
    account& a = c.chosen_account();
    const auto p = one_contact(a, c.text("contact"));
    const auto ours = peer::compare_keys(a.key(), p.account);
    const auto code = c.text("code");
    if (!code.empty() && !peer::looks_like_comparison(code))
        refuse(EX_DATAERR,
               "this is neither the forty digits nor a link that begins with peerpost:verify/; copy it again");
    if (!code.empty() && !peer::is_same(ours, code))
        refuse(EX_NOPERM,
               "the codes DIFFER. Either it was copied wrongly, or it belongs to other accounts, or the key you have "
               "for this contact is not that person's. Write nothing in confidence until you have found out. Nothing "
               "was changed");
    json::object out;
    if (!code.empty() || c.flag("same")) {
        out = carry_out(c, a, p.account, wish::verify).as_object();
    } else {
        out = describe(p);
        out["changed"] = false;
    }
    out["code"] = ours.digits();
    out["link"] = ours.link();
    return out;
}

}  // namespace pp::services::commands
