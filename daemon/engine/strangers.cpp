#include "daemon/engine/strangers.hpp"

#include "daemon/engine/endpoints.hpp"
#include "daemon/engine/requests.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <bit>

namespace pp::engine {

namespace {

bool is_over(storage::unix_ms begun, storage::unix_ms length, storage::unix_ms now) {
    return now < begun || now - begun >= length;   // a clock put back begins anew
}

}  // namespace

std::string source_prefix(std::string_view endpoint) {
    const auto e = parse_endpoint(std::string(endpoint));
    if (!e || kind_of(e->host) == address_kind::loopback) return {};
    std::array<unsigned char, 16> raw{};
    if (inet_pton(AF_INET, e->host.c_str(), raw.data()) == 1)
        return "4" + crypto::hex(std::as_bytes(std::span(raw).first(3)));
    if (inet_pton(AF_INET6, e->host.c_str(), raw.data()) != 1) return {};
    // RFC 4291 section 2.5.5.2
    constexpr std::array<unsigned char, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (std::equal(mapped.begin(), mapped.end(), raw.begin()))
        return "4" + crypto::hex(std::as_bytes(std::span(raw).subspan(12, 3)));
    return "6" + crypto::hex(std::as_bytes(std::span(raw).first(6)));
}

std::uint8_t stranger_gate::work_bits(storage::unix_ms now) {
    if (configured_ == 0) return 0;
    if (is_over(hour_.begun, request_hour_ms, now)) {
        last_hour_ = is_over(hour_.begun, 2 * request_hour_ms, now) ? window() : hour_;
        hour_ = {now, 0};
    }
    // What came within the hour before now, as far as two windows tell.
    const auto left = static_cast<std::uint64_t>(request_hour_ms - (now - hour_.begun));
    const auto load = hour_.count + static_cast<std::uint32_t>(last_hour_.count * left / request_hour_ms);
    const auto doublings = load < raised_from ? 0 : std::bit_width(load / raised_from);
    const auto raised = std::min<unsigned>(static_cast<unsigned>(doublings), raised_bits_max);
    const auto bits =
        static_cast<std::uint8_t>(std::min<unsigned>(configured_ + raised, std::max(configured_, work_bits_willing)));
    if (bits > asked_) {
        before_ = work_bits_taken(now) < asked_ ? before_ : asked_;
        raised_at_ = now;
    }
    return asked_ = bits;
}

std::uint8_t stranger_gate::work_bits_taken(storage::unix_ms now) {
    const bool lately = raised_at_ != 0 && !is_over(raised_at_, old_bits_taken_ms, now);
    return lately ? std::min(before_, asked_) : asked_;
}

template <class Key>
void stranger_gate::forget_old(std::map<Key, window>& windows, storage::unix_ms length, storage::unix_ms now) {
    std::erase_if(windows, [&](const auto& entry) { return is_over(entry.second.begun, length, now); });
}

std::optional<std::string_view> stranger_gate::admit(const crypto::account_key& who, const std::string& prefix,
                                                     storage::unix_ms now) {
    // Who is admitted is counted, nobody else: the hour's limit bounds both maps.
    if (is_over(looked_at_, request_hour_ms, now)) {
        forget_old(by_key_, request_day_ms, now);
        forget_old(by_prefix_, request_hour_ms, now);
        looked_at_ = now;
    }
    if (is_over(hour_.begun, request_hour_ms, now)) {
        last_hour_ = is_over(hour_.begun, 2 * request_hour_ms, now) ? window() : hour_;
        hour_ = {now, 0};
    }
    const auto used = [now](const auto& windows, const auto& key, storage::unix_ms length) {
        const auto found = windows.find(key);
        return found == windows.end() || is_over(found->second.begun, length, now) ? 0 : found->second.count;
    };
    const auto count = [now](auto& windows, const auto& key, storage::unix_ms length) {
        auto& w = windows[key];
        if (w.count == 0 || is_over(w.begun, length, now)) w = {now, 0};
        ++w.count;
    };
    if (used(by_key_, who, request_day_ms) >= requests_per_key_max)
        return "you have sent as many mails as a stranger may in a day; wait until the recipient has accepted you";
    if (!prefix.empty() && used(by_prefix_, prefix, request_hour_ms) >= requests_per_prefix_max)
        return "too many strangers write from your network at the moment";
    if (hour_.count >= requests_per_hour_max) return "too many strangers write to the recipient at the moment";
    count(by_key_, who, request_day_ms);
    if (!prefix.empty()) count(by_prefix_, prefix, request_hour_ms);
    ++hour_.count;
    return std::nullopt;
}

bool stranger_gate::reserve(const storage::id16& notification, const crypto::account_key& who, std::uint64_t bytes,
                            const storage::mailbox& requests) {
    if (reserved_.contains(notification)) return true;
    std::uint64_t all = 0, hers = 0;
    for (const auto& [id, r] : reserved_) {
        all += r.bytes;
        if (r.who == who) hers += r.bytes;
    }
    if (requests.messages + reserved_.size() >= requests_mails_max) return false;
    if (bytes > requests_bytes_max || requests.size_bytes + all + bytes > requests_bytes_max) return false;
    if (hers + bytes > reserved_per_key_max) return false;
    reserved_.emplace(notification, reservation{who, bytes});
    return true;
}

std::optional<crypto::account_key> stranger_to_forget(std::span<const storage::contact> all) {
    std::size_t strangers = 0;
    const storage::contact* oldest = nullptr;
    for (const auto& c : all) {
        if (c.how != storage::known_by::request || c.accepted || c.blocked || c.removed_at != 0) continue;
        ++strangers;
        if (!oldest || c.since < oldest->since) oldest = &c;
    }
    if (strangers < strangers_kept_max) return std::nullopt;
    return oldest->account;
}

}  // namespace pp::engine
