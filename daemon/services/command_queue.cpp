// `queue`: each mail under way, per recipient. `queue why`: why one waits. `trace`: each hop of one mail.
#include "daemon/services/command_support.hpp"

#include "daemon/engine/delivery.hpp"
#include "daemon/engine/delivery_words.hpp"
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

// Year 9999: whoever signs a receipt may write any number.
constexpr peer::unix_s stored_at_max = 253402300799;

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

json::array explained(const storage::outbox_row& row, const engine::delivery_times& times) {
    json::array out;
    for (const auto& one : engine::explained(row, times, now_ms())) out.push_back(json::string(one));
    return out;
}

json::object hop(storage::unix_ms at, std::string what) { return {{"at", iso_time(at)}, {"what", std::move(what)}}; }

void trace_sent(const account& a, const std::string& message_id, json::array& hops) {
    bool first = true;
    for (const auto& row : rows_of(a, false)) {
        if (row.message_id != message_id) continue;
        if (std::exchange(first, false)) hops.push_back(hop(row.submitted_at, "submitted by your mail program"));
        const auto to = " (to " + row.recipient + ")";
        if (row.left_at != 0 && row.state != storage::outbox_state::seeded)
            hops.push_back(hop(row.left_at, "seeded: left at a relay, where it waited" + to));
        const auto receipt = peer::decode_receipt(row.receipt);
        if (receipt && peer::verify(*receipt)) {
            const auto stored = std::clamp(receipt->stored_at, peer::unix_s{0}, stored_at_max) * 1000;
            hops.push_back(hop(stored, "stored by the recipient's device \"" + receipt->device.name +
                                           "\", which signed a receipt" + to));
        }
        std::string state = std::string(state_name(row.state)) + to;
        if (row.attempts > 0)
            // not "failed": an attempt after which she fetches the mail is one of them
            state += ", after " + std::to_string(row.attempts) + " attempt" + (row.attempts == 1 ? "" : "s");
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
        refuse(EX_DATAERR,
               "no mail has the ID \"" + id + "\"; see: peerpost queue --all (what is over stands there for a week)");
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
