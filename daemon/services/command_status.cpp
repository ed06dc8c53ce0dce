// `status`: what this node is and does, on one screen.
#include "daemon/services/command_support.hpp"

#include "storage/text_index.hpp"

#include <chrono>

namespace pp::services::commands {

namespace {

// Taken when the program starts: good enough for an uptime.
const auto started = std::chrono::steady_clock::now();

json::object account_status(const account& a) {
    json::array boxes, notes;
    json::object outbox{{"queued", 0}, {"seeded", 0}, {"notified", 0}, {"delivered", 0}, {"failed", 0}};
    std::uint64_t inbound = 0, contacts = 0, blob_bytes = 0;
    const auto filled = a.store().read([&](const storage::read_txn& txn) -> result<void> {
        auto mailboxes = txn.mailboxes();
        if (!mailboxes) return mailboxes.error();
        for (const auto& box : *mailboxes)
            boxes.push_back(json::object{{"name", box.name},
                                         {"messages", box.messages},
                                         {"unseen", box.unseen},
                                         {"bytes", box.size_bytes}});
        auto rows = txn.outbox(false);
        if (!rows) return rows.error();
        for (const auto& row : *rows) {
            auto& n = outbox[state_name(row.state)];
            n = json::value_to<std::uint64_t>(n) + 1;
        }
        auto waiting = txn.inbound();
        if (!waiting) return waiting.error();
        inbound = waiting->size();
        auto people = txn.contacts();
        if (!people) return people.error();
        contacts = people->size();
        auto bytes = txn.blob_bytes();
        if (!bytes) return bytes.error();
        blob_bytes = *bytes;
        return {};
    });
    value_of(filled, "the store of account " + a.label() + " cannot be read");
    const auto index =
        value_of(a.store().text().progress(), "the search index of account " + a.label() + " cannot be read");
    for (const auto& note : a.recovery().notes) notes.push_back(json::string(note));
    return {{"address", a.address()}, {"account", a.label()},   {"name", a.name()},
            {"mailboxes", boxes},     {"bytes", blob_bytes},    {"outbox", outbox},
            {"inbound", inbound},     {"contacts", contacts},   {"writable", a.store().writable()},
            {"rows_read", a.store().rows_read()},
            {"index", {{"mails", index.mails}, {"waiting", index.waiting}, {"bytes", index.bytes}}},
            {"notes", notes}};
}

}  // namespace

namespace {

// The network layer knows keys; a person knows names: "name" beside each "peer" that is a contact.
void name_peers(const call& c, json::value& links) {
    if (!links.is_array()) return;
    for (auto& link : links.as_array()) {
        if (!link.is_object()) continue;
        const auto* label = link.as_object().if_contains("account");
        const auto* peer = link.as_object().if_contains("peer");
        if (!label || !label->is_string() || !peer || !peer->is_string()) continue;
        const account* a = c.n.find_account(std::string(label->as_string()));
        const auto key = crypto::parse_account_label(std::string(peer->as_string()));
        if (!a || !key) continue;
        const auto known = a->store().read([&](const storage::read_txn& txn) { return txn.get_contact(*key); });
        if (known && *known) link.as_object()["name"] = (*known)->name;
    }
}

}  // namespace

json::value status(const call& c) {
    c.only({});
    json::object out{{"version", PEERPOST_VERSION},
                     {"home", c.n.home().root.string()},
                     {"running", static_cast<bool>(c.n.live_status)}};
    if (c.n.live_status) {
        out["uptime_s"] =
            std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - started).count();
        boost::system::error_code failed;
        const auto live = json::parse(c.n.live_status(), failed);
        if (!failed && live.is_object())
            for (const auto& part : live.as_object()) out[part.key()] = part.value();
        if (auto* links = out.if_contains("links")) name_peers(c, *links);
    }
    json::array accounts;
    for (const account* a : c.n.accounts()) accounts.push_back(account_status(*a));
    out["accounts"] = std::move(accounts);
    return out;
}

}  // namespace pp::services::commands
