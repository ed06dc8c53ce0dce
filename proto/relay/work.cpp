#include "proto/relay/work.hpp"

#include "crypto/work.hpp"
#include "proto/wire/byte_writer.hpp"

namespace pp::relay {

namespace {
constexpr std::string_view work_name = "peerpost relay work v1";

bytes task_of(const work& w) {
    wire::byte_writer out;
    out.raw(work_name).u8(0).fixed(w.slot).u8(static_cast<std::uint8_t>(w.purpose)).fixed(w.content);
    return out.take();
}

}  // namespace

bool is_solved(const work& w, std::uint64_t solution) {
    return crypto::work::is_solved(task_of(w), w.nonce, w.bits, solution);
}

std::optional<std::uint64_t> solve(const work& w, const std::function<bool()>& go_on) {
    return crypto::work::solve(task_of(w), w.nonce, w.bits, go_on);
}

}  // namespace pp::relay
