#include "daemon/engine/contacts.hpp"

#include "daemon/engine/people.hpp"
#include "proto/peer/first_contact.hpp"

#include <algorithm>

namespace pp::engine {
namespace {

using storage::contact;

storage::unix_ms as_ms(peer::unix_s at) { return at * 1000; }

// result<bool> takes no error by itself: it might be meant as a bool.
result<bool> failure(error_code e) { return {boost::system::in_place_error, e}; }

// What is new in front, then what was known, each once.
std::vector<std::string> joined(const std::vector<std::string>& first, const std::vector<std::string>& then) {
    std::vector<std::string> out;
    for (const auto* list : {&first, &then})
        for (const auto& endpoint : *list)
            if (out.size() < contact_endpoints_max && std::find(out.begin(), out.end(), endpoint) == out.end())
                out.push_back(endpoint);
    return out;
}

// 0: there is none.
std::uint64_t sequence_of(bytes_view record) {
    const auto decoded = peer::decode_account_record(record);
    return decoded ? decoded->sequence : 0;
}

}  // namespace

contact contact_from_record(const peer::account_record& record, storage::known_by how, peer::unix_s now) {
    contact c;
    c.account = record.account;
    c.name = record.name;
    c.how = how;
    c.accepted = how != storage::known_by::request;
    c.since = as_ms(now);
    c.endpoints = joined(record.endpoints, {});
    c.record = peer::encode(record);
    return c;
}

result<contact> contact_from_invite(const peer::invite_link& link, peer::unix_s now) {
    if (now >= link.expires_at) return peer::errc::expired;
    auto c = contact_from_record(link.record, storage::known_by::invite_used, now);
    c.invite_token = to_bytes(bytes_view(link.token));
    return c;
}

contact added_again(contact known, const contact& fresh, storage::unix_ms now) {
    if (known.how == storage::known_by::address || known.how == storage::known_by::request) known.how = fresh.how;
    if (auto accepted = wished(known, wish::accept, now)) known = std::move(*accepted);
    if (known.name.empty()) known.name = fresh.name;
    if (sequence_of(fresh.record) > sequence_of(known.record)) {
        take_name(known, fresh.name);
        known.record = fresh.record;
    }
    known.endpoints = joined(fresh.endpoints, known.endpoints);
    if (!fresh.invite_token.empty()) known.invite_token = fresh.invite_token;
    return known;
}

bool take_name(contact& c, const std::string& name) {
    if (name.empty() || name == c.name) return false;
    if (!c.name.empty()) {
        const auto old = peer::decode_account_record(c.record);
        if (!old || old->name != c.name) return false;
    }
    c.name = name;
    return true;
}

result<bool> merge_record(contact& c, bytes_view encoded_record, peer::unix_s now) {
    const auto fresh = peer::decode_account_record(encoded_record);
    if (!fresh) return failure(fresh.error());
    if (fresh->account != c.account) return failure(peer::errc::wrong_peer);
    if (const auto good = peer::verify(*fresh, now); !good) return failure(good.error());
    if (const auto old = peer::decode_account_record(c.record); old && old->sequence >= fresh->sequence) return false;
    take_name(c, fresh->name);
    c.record = to_bytes(encoded_record);
    c.old_record_told = c.old_record_untold = false;
    c.endpoints = joined(fresh->endpoints, c.endpoints);
    return true;
}

bool noticed_old_record(contact& c, bytes_view encoded_record, peer::unix_s now) {
    if (c.old_record_told || c.old_record_untold || !c.accepted || is_out(c)) return false;
    const auto shown = peer::decode_account_record(encoded_record);
    const auto known = peer::decode_account_record(c.record);
    if (!shown || !known || shown->account != c.account || !peer::verify(*shown, now)) return false;
    if (shown->sequence >= known->sequence || known->sequence - shown->sequence <= old_record_ms) return false;
    return c.old_record_untold = true;
}

bool endpoint_worked(contact& c, const std::string& endpoint) {
    if (!c.endpoints.empty() && c.endpoints.front() == endpoint) return false;
    c.endpoints = joined({endpoint}, c.endpoints);
    return true;
}

std::optional<storage::invite> use_invite(const std::optional<storage::invite>& ours, storage::unix_ms now) {
    if (!ours || ours->uses_left == 0 || now > ours->expires_at) return std::nullopt;
    auto left = *ours;
    --left.uses_left;
    return left;
}

prekey_plan plan_prekeys(std::span<const prekey_age> ours, peer::unix_s now) {
    prekey_plan plan;
    if (ours.empty()) {
        plan.make_new = true;
        // The moment, in seconds: before a recovery there were earlier ones, counted up once a week.
        plan.new_id = static_cast<std::uint32_t>(std::clamp<peer::unix_s>(now, 1, first_prekey_id_max));
        return plan;
    }
    const auto newest = *std::max_element(ours.begin(), ours.end(),
                                          [](const prekey_age& a, const prekey_age& b) { return a.id < b.id; });
    // Made far in the future: the clock was wrong then or is now; a new one is right either way.
    plan.make_new = now >= newest.made_at + prekey_renew_s || now < newest.made_at - prekey_renew_s;
    if (plan.make_new) plan.new_id = newest.id + 1;
    for (const auto& p : ours) {
        if (p.id == newest.id) continue;
        if (now > p.made_at + prekey_renew_s + prekey_keep_s) plan.forget.push_back(p.id);
        // Made when the clock was far ahead: its age is told by how many came after it.
        else if (p.made_at > now + prekey_renew_s && newest.id - p.id > prekeys_kept_max) plan.forget.push_back(p.id);
    }
    return plan;
}

const peer::account_record::offered_prekey* usable_prekey(const peer::account_record& record, peer::unix_s now) {
    for (const auto& p : record.prekeys)
        if (now <= p.not_after) return &p;
    return nullptr;
}

peer::account_record make_own_record(const own_record_values& values, const crypto::signing_key& account,
                                     storage::unix_ms now) {
    peer::account_record r;
    r.account = *crypto::account_key::from(account.public_key());
    r.sequence = std::max(static_cast<std::uint64_t>(std::max<storage::unix_ms>(now, 1)), values.last_sequence + 1);
    r.name = values.name;
    r.prekeys = values.prekeys;
    r.devices = values.devices;
    r.endpoints = values.endpoints;
    r.relays = values.relays;
    peer::ask_work(r, values.work_bits);
    peer::sign(r, account);
    return r;
}

}  // namespace pp::engine
