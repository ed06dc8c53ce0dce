#include "daemon/engine/delivery.hpp"

#include "daemon/engine/strangers.hpp"

#include <algorithm>

namespace pp::engine {
namespace {

using storage::outbox_row;
using storage::outbox_state;

void enter(outbox_row& row, outbox_state state, unix_ms now) {
    if (row.state == state) return;
    row.state = state;
    row.state_since = now;
}

outbox_row failed(outbox_row row, std::string sentence, unix_ms now) {
    enter(row, outbox_state::failed, now);
    row.last_error = std::move(sentence);
    return row;
}

void count_attempt(outbox_row& row) {
    if (row.attempts < UINT32_MAX) ++row.attempts;
}

unix_ms deadline(const outbox_row& row, const delivery_times& times) {
    return begins_at(row) + times.fail_after.count();
}

// Never waits beyond the moment of giving up; behind it as long as before.
unix_ms no_later_than_the_end(const outbox_row& row, unix_ms at, unix_ms now, const delivery_times& times) {
    return now < deadline(row, times) ? std::min(at, deadline(row, times)) : at;
}

// When it may be given up.
unix_ms judged_at(const outbox_row& row, const delivery_times& times) {
    const auto end = deadline(row, times);
    if (row.state != outbox_state::notified) return end;
    return std::max(end, row.state_since + std::min(notified_again_after, times.fail_after).count());
}

std::string with_reason(std::string sentence, const std::string& reason) {
    return reason.empty() ? sentence : sentence + ": " + reason;
}

}  // namespace

std::string in_words(milliseconds d) {
    using namespace std::chrono;
    constexpr std::string_view small[] = {"", "", "two", "three", "four", "five", "six", "seven"};
    const auto say = [&](std::int64_t n, std::string_view unit) {
        return (n >= 2 && n <= 7 ? std::string(small[n]) : std::to_string(n)) + " " + std::string(unit) +
               (n == 1 ? "" : "s");
    };
    if (d % days(1) == milliseconds(0) && d >= days(1)) return say(d / days(1), "day");
    if (d % hours(1) == milliseconds(0) && d >= hours(1)) return say(d / hours(1), "hour");
    if (d % minutes(1) == milliseconds(0) && d >= minutes(1)) return say(d / minutes(1), "minute");
    return say(duration_cast<seconds>(d).count(), "second");
}

unix_ms next_attempt(std::uint32_t attempts_made, unix_ms now, double dice, const delivery_times& times) {
    const auto doublings = std::min<std::uint32_t>(attempts_made, 16);   // twenty days: beyond any longest wait
    const auto wait = std::min(retry_first * (1 << doublings), times.retry_max);
    return now + wait.count() + static_cast<unix_ms>(static_cast<double>(wait.count()) * dice / 4);
}

bool is_open(const outbox_row& row) {
    return row.state == outbox_state::queued || row.state == outbox_state::notified ||
           row.state == outbox_state::seeded;
}

unix_ms begins_at(const outbox_row& row) { return std::max(row.submitted_at, row.hold_until); }

unix_ms began_at(const outbox_row& row, unix_ms now) { return std::min(begins_at(row), now); }

bool is_held(const outbox_row& row, unix_ms now) { return row.state == outbox_state::queued && row.hold_until > now; }

bool is_due(const outbox_row& row, unix_ms now) {
    return is_open(row) && !is_held(row, now) && row.next_attempt_at <= now;
}

outbox_row give_up_when_late(outbox_row row, unix_ms now, const delivery_times& times) {
    if (!is_open(row) || now < judged_at(row, times)) return row;
    auto sentence =
        std::string(row.state == outbox_state::notified ? "the recipient knows of the mail but has not fetched it for "
                    : row.state == outbox_state::seeded
                        ? "the mail waited at a relay, but the recipient's computer has not come for it for "
                        : "the mail could not be delivered for ") +
        in_words(times.fail_after);
    if (!row.last_error.empty()) sentence += "; the last attempt: " + row.last_error;
    return failed(std::move(row), std::move(sentence), now);
}

unix_ms next_judgement(const outbox_row& row, unix_ms now, const delivery_times& times) {
    const auto delay = begins_at(row) + times.delayed_after.count();
    return row.delay_told || delay <= now ? judged_at(row, times) : std::min(delay, judged_at(row, times));
}

bool clock_jumped(milliseconds by_the_clock, milliseconds truly_passed) {
    constexpr milliseconds jump = std::chrono::hours(1);
    return by_the_clock > truly_passed + jump || by_the_clock < truly_passed - jump;
}

bool may_give_up(const outbox_row& row, unix_ms since, bool asked, unix_ms now, const delivery_times& times) {
    if (begins_at(row) >= since) return true;
    const auto served = now - since;
    if (served < 2 * times.reach.count() + last_try_least.count()) return false;
    return asked || served >= std::max(last_try_longest, 2 * times.reach + last_try_least).count();
}

outbox_row attempt_failed(outbox_row row, std::string sentence, unix_ms now, double dice, const delivery_times& times) {
    if (!is_open(row) || is_held(row, now)) return row;
    row.last_error = std::move(sentence);
    row.next_attempt_at = no_later_than_the_end(row, next_attempt(row.attempts, now, dice, times), now, times);
    count_attempt(row);
    return row;
}

outbox_row refusal_came(outbox_row row, const std::string& reason, unix_ms now) {
    if (!is_open(row)) return row;
    return failed(std::move(row), with_reason("the recipient refused the mail", reason), now);
}

result<peer::receipt> check_receipt(const outbox_row& row, const crypto::account_key& sender,
                                    const crypto::blob_id& blob, bytes_view signed_receipt) {
    auto receipt = peer::decode_receipt(signed_receipt);
    if (!receipt) return receipt.error();
    if (receipt->recipient != row.account) return peer::errc::wrong_peer;
    if (receipt->id != row.notification || receipt->sender != sender || receipt->blob != blob)
        return peer::errc::not_for_us;
    if (const auto good = peer::verify(*receipt); !good) return good.error();
    return receipt;
}

outbox_row receipt_came(outbox_row row, bytes signed_receipt, unix_ms now) {
    if (row.state == outbox_state::delivered) return row;   // the first receipt stays
    // Also after failure: the proof that it has arrived after all is worth more than our impatience.
    enter(row, outbox_state::delivered, now);
    row.receipt = std::move(signed_receipt);
    row.last_error.clear();
    return row;
}

outbox_row work_asked_for(outbox_row row, std::uint8_t bits, unix_ms now, double dice,
                          const delivery_times& times) {
    if (bits > work_bits_willing)
        return attempt_failed(
            std::move(row),
            "the recipient does not know you and asks strangers for more work than this node does; ask for an invite",
            now, dice, times);
    constexpr unsigned tries_per_second = 100;   // crypto/work.hpp: about 10 ms each
    const auto seconds = std::max(1u, (1u << bits) / tries_per_second);
    return attempt_failed(
        std::move(row),
        "the recipient does not know you and asks strangers for some work first: this node is at it, for about " +
            std::to_string(seconds) + (seconds == 1 ? " second" : " seconds"),
        now, dice, times);
}

notify_outcome notify_answered(outbox_row row, const peer::notify_reply& reply, const crypto::account_key& sender,
                               const crypto::blob_id& blob, unix_ms now, double dice, const delivery_times& times) {
    if (!is_open(row)) return {std::move(row)};
    switch (reply.status) {
    case peer::notify_status::stored:
        if (!check_receipt(row, sender, blob, reply.signed_receipt))
            return {attempt_failed(std::move(row), "the recipient's receipt does not fit the mail", now, dice, times)};
        return {receipt_came(std::move(row), reply.signed_receipt, now)};
    case peer::notify_status::fetching:
        enter(row, outbox_state::notified, now);
        row.last_error.clear();
        count_attempt(row);
        row.next_attempt_at =
            no_later_than_the_end(row, now + std::min(notified_again_after, times.retry_max).count(), now, times);
        return {std::move(row)};
    case peer::notify_status::refused:
        return {failed(std::move(row), with_reason("the recipient refused the mail", reply.reason), now)};
    case peer::notify_status::unknown_prekey:
        return {attempt_failed(std::move(row), "the recipient's keys have changed", now, dice, times), true};
    case peer::notify_status::work_needed:
        return {work_asked_for(std::move(row), reply.work_bits, now, dice, times)};
    case peer::notify_status::try_later:
        break;
    }
    return {
        attempt_failed(std::move(row), with_reason("the recipient asks to try later", reply.reason), now, dice, times)};
}

}  // namespace pp::engine
