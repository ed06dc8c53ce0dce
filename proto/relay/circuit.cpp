#include "proto/relay/circuit.hpp"

#include "crypto/assert.hpp"
#include "proto/wire/byte_reader.hpp"
#include "proto/wire/byte_writer.hpp"

#include <algorithm>

namespace pp::relay {

namespace {
constexpr std::string_view join_magic = "PPC1";
constexpr std::byte answer_yes{1}, answer_no{0};
}  // namespace

bytes encode(const circuit_join& j) {
    return wire::byte_writer().raw(join_magic).raw(bytes_view(j.circuit)).u8(static_cast<std::uint8_t>(j.side))
        .raw(bytes_view(j.secret)).take();
}

result<circuit_join> decode_join(bytes_view wire) {
    wire::byte_reader in(wire);
    circuit_join out;
    const auto magic = in.view(join_magic.size());
    out.circuit = in.array<16>();
    const auto side = in.u8();
    out.secret = in.array<16>();
    if (!in.complete() || as_text(magic) != join_magic || side > static_cast<std::uint8_t>(circuit_side::target))
        return errc::bad_message;
    out.side = static_cast<circuit_side>(side);
    return out;
}

wire::task<> join_session::converse() {
    set_deadline(now() + join_timeout);
    while (input().size() < join_bytes) {
        const auto why = co_await more_input();
        if (why == wire::woken::ended || why == wire::woken::timeout) co_return;
    }
    set_deadline(std::nullopt);
    const auto who = decode_join(input().view().first(join_bytes));
    if (!who) co_return;   // no answer for who does not speak this
    input().consume(join_bytes);
    join_asked question{*who};
    const auto answer = co_await ask(std::move(question));
    open_ = answer.yes;
    const std::byte told[] = {answer.yes ? answer_yes : answer_no};
    send(bytes_view(told));
    if (open_) early_ = input().take();
}

std::uint64_t circuit_meter::allowance(wire::time_point now) {
    if (spent(now)) return 0;
    if (now > filled_) {
        // No more than an hour at once: what does not fit a circuit's life need not fit the arithmetic.
        const auto waited = std::min<std::chrono::nanoseconds>(now - filled_, std::chrono::hours(1));
        const auto more =
            static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(waited).count()) *
            limits_.rate_bytes_per_s / 1000;
        if (more > 0) {
            tokens_ = std::min(tokens_ + more, limits_.burst_bytes);
            filled_ = now;
        }
    }
    return std::min(tokens_, limits_.bytes_max - total_);
}

void circuit_meter::passed(std::uint64_t n) {
    PP_ASSERT(n <= tokens_);
    tokens_ -= n;
    total_ += n;
}

wire::time_point circuit_meter::next() const {
    const auto wanted = std::min<std::uint64_t>(circuit_buffer_bytes, limits_.burst_bytes);
    if (tokens_ >= wanted) return filled_;
    const auto rate = std::max<std::uint32_t>(limits_.rate_bytes_per_s, 1);
    return filled_ + std::chrono::milliseconds((wanted - tokens_) * 1000 / rate + 1);
}

}  // namespace pp::relay
