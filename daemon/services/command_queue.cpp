// `queue`: each mail under way, per recipient. `queue why`: why one waits. `trace`: each hop of one mail.
#include "daemon/services/command_support.hpp"

#include "daemon/engine/delivery.hpp"
#include "daemon/engine/last_word.hpp"
#include "proto/peer/messages.hpp"

#include <algorithm>
#include <utility>

namespace pp::services::commands {

std::string_view state_name(storage::outbox_state state) {
    switch (state) {
    case storage::outbox_state::queued: return "queued";
    case storage::outbox_state::notified: return "notified";
    case storage::outbox_state::seeded: return "seeded";
    case storage::outbox_state::delivered: return "delivered";
    case storage::outbox_state::failed: return "failed";
    }
    return "unknown";
}

namespace {

constexpr std::size_t id_digits_min = 4;                  // of `queue why`

json::object queue_row(const account& a, const storage::outbox_row& row) {
    return {{"id", crypto::hex(row.id)},
            {"account", a.label()},
            {"recipient", row.recipient},
            {"state", state_name(row.state)},
            {"attempts", row.attempts},
            {"submitted", iso_time(row.submitted_at)},
            {"since", iso_time(row.state_since)},
            {"next_attempt", engine::is_open(row) ? iso_time(row.next_attempt_at) : std::string()},
            {"held_until", engine::is_held(row, now_ms()) ? iso_time(row.hold_until) : std::string()},
            {"last_error", row.last_error},
            {"message_id", row.message_id}};
}

std::vector<storage::outbox_row> rows_of(const account& a, bool open_only) {
    return value_of(a.store().read([&](const storage::read_txn& txn) { return txn.outbox(open_only); }),
                    "the queue cannot be read");
}

// In sentences: what there is, what comes next, what can be done.
json::array explained(const storage::outbox_row& row, const engine::delivery_times& times) {
    json::array out;
    const auto say = [&](std::string sentence) { out.push_back(json::string(sentence)); };
    const auto gives_up = iso_time(engine::begins_at(row) + times.fail_after.count());
    switch (row.state) {
    case storage::outbox_state::queued:
        if (engine::is_held(row, now_ms())) {
            say("It is held back until " + iso_time(row.hold_until) + ", as your mail program asked.");
            say("To cancel it, delete it from the mailbox Outgoing.");
            break;
        }
        if (row.attempts == 0) {
            say("It is stored here and goes out as soon as there is a link to the recipient's node.");
        } else {
            say("After " + std::to_string(row.attempts) + " attempts the recipient's node was not reached. The last time: " +
                (row.last_error.empty() ? "no reason is known" : row.last_error) + ".");
            say("The next attempt is at " + iso_time(row.next_attempt_at) + ", or at once when her node calls ours.");
        }
        say("Until " + gives_up + " it is tried again and again; then a report in INBOX says that it failed.");
        say("To cancel it, delete it from the mailbox Outgoing.");
        break;
    case storage::outbox_state::notified:
        say("The recipient's node has known of it since " + iso_time(row.state_since) + " and fetches it from here.");
        say("Her receipt has not come yet. Her node is asked again at " + iso_time(row.next_attempt_at) +
            "; this node must be running and reachable until then.");
        break;
    case storage::outbox_state::seeded: {
        const auto notes = engine::notes_of(row);
        say("The recipient's node was not reached. Since " + iso_time(row.state_since) + " the mail waits, encrypted, at " +
            (notes.seed_at_ours ? "our own relay, and word of it at hers." : "her relay."));
        if (const auto now = now_ms(); now >= engine::begins_at(row) + times.fail_after.count()) {
            const auto open = engine::doubt_of(notes, now);
            say("Its time for delivery was over at " + gives_up + ". " +
                (open == engine::doubt::fetched ? "Her node has taken it from there, but no receipt of hers has come yet."
                                                : "It is to be taken back from there, which has not succeeded yet."));
            say("A report in INBOX says what has become of it, at the latest at " +
                iso_time(engine::begins_at(row) + (1 + engine::decided_within) * times.fail_after.count()) + ".");
            break;
        }
        say("This node need not be running for her to get it. When both are, it goes directly.");
        say("Until " + gives_up + " her receipt is waited for; then a report in INBOX says that it failed.");
        break;
    }
    case storage::outbox_state::delivered:
        say("A device of the recipient has signed that it stored the mail; known here since " + iso_time(row.state_since) + ".");
        break;
    case storage::outbox_state::failed:
        say((engine::is_in_doubt(row) ? "Nobody knows whether it arrives: " : "It was not delivered: ") + (row.last_error.empty() ? "no reason is known" : row.last_error) + ".");
        say("Nothing more is tried. The mail is in Sent; send it again from there when the reason is gone.");
        break;
    }
    return out;
}

json::object hop(storage::unix_ms at, std::string what) { return {{"at", iso_time(at)}, {"what", std::move(what)}}; }

void trace_sent(const account& a, const std::string& message_id, json::array& hops) {
    bool first = true;
    for (const auto& row : rows_of(a, false)) {
        if (row.message_id != message_id) continue;
        if (std::exchange(first, false)) hops.push_back(hop(row.submitted_at, "submitted by your mail program"));
        const auto to = " (to " + row.recipient + ")";
        const auto receipt = peer::decode_receipt(row.receipt);
        if (receipt && peer::verify(*receipt))
            hops.push_back(hop(receipt->stored_at * 1000, "stored by the recipient's device \"" + receipt->device.name +
                                                               "\", which signed a receipt" + to));
        std::string state = std::string(state_name(row.state)) + to;
        if (row.attempts > 0) state += ", after " + std::to_string(row.attempts) + " failed attempts";
        if (row.state != storage::outbox_state::delivered && !row.last_error.empty()) state += ": " + row.last_error;
        hops.push_back(hop(row.state_since, std::move(state)));
    }
}

void trace_stored(const account& a, const std::string& message_id, json::array& hops) {
    const auto found = a.store().read([&](const storage::read_txn& txn) -> result<void> {
        auto boxes = txn.mailboxes();
        if (!boxes) return boxes.error();
        for (const auto& box : *boxes) {
            auto copy = txn.find_by_message_id(box.id, message_id, 0);
            if (!copy) return copy.error();
            if (*copy) hops.push_back(hop((*copy)->save_date.unix_seconds * 1000, "filed in " + box.name));
        }
        return {};
    });
    value_of(found, "the mailboxes cannot be read");
}

}  // namespace

// account: only this one. all: delivered and failed rows too.
json::value queue(const call& c) {
    c.only({"account", "all"});
    auto accounts = c.n.accounts();
    if (!c.text("account").empty()) accounts = {&c.chosen_account()};
    json::array rows;
    for (const account* a : accounts)
        for (const auto& row : rows_of(*a, !c.flag("all"))) rows.push_back(queue_row(*a, row));
    return json::object{{"queue", std::move(rows)}};
}

// id: of a row, or its first characters.
json::value queue_why(const call& c) {
    c.only({"id"});
    const auto id = c.text("id");
    if (id.size() < id_digits_min) refuse(EX_USAGE, "name a mail by the ID that `peerpost queue` prints");
    json::object found;
    for (const account* a : c.n.accounts())
        for (const auto& row : rows_of(*a, false)) {
            if (!crypto::hex(row.id).starts_with(id)) continue;
            if (!found.empty()) refuse(EX_DATAERR, "several mails begin with \"" + id + "\"; give more of the ID");
            found = queue_row(*a, row);
            found["why"] = explained(row, c.n.configuration().delivery);
        }
    if (found.empty())
        refuse(EX_DATAERR, "no mail has the ID \"" + id + "\"; see: peerpost queue --all (what is over stands there for a week)");
    return found;
}

// message_id: with or without angle brackets.
json::value trace(const call& c) {
    c.only({"message_id"});
    auto id = c.text("message_id");
    if (id.empty()) refuse(EX_USAGE, "name the Message-ID of a mail: your mail program shows it in the mail's source");
    if (!id.starts_with('<')) id = "<" + id + ">";
    json::array hops;
    for (const account* a : c.n.accounts()) {
        trace_sent(*a, id, hops);
        trace_stored(*a, id, hops);
    }
    if (hops.empty()) refuse(EX_DATAERR, "no mail with the Message-ID " + id + " is known here");
    std::stable_sort(hops.begin(), hops.end(), [](const json::value& a, const json::value& b) {
        return a.as_object().at("at").as_string() < b.as_object().at("at").as_string();
    });
    return json::object{{"message_id", id}, {"hops", std::move(hops)}};
}

}  // namespace pp::services::commands
