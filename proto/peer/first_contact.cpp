#include "proto/peer/first_contact.hpp"

#include "proto/peer/layout.hpp"

namespace pp::peer {

namespace {

constexpr std::string_view work_purpose = "peerpost first contact work v1";
constexpr std::uint8_t work_extension = 1;   // SPEC.md, "Extensions"

bytes task_of(const notification& n) {
    wire::byte_writer out;
    out.fixed(n.sender).fixed(n.recipient).fixed(n.blob);
    return layout::signed_bytes(work_purpose, out.view());
}

}  // namespace

std::uint8_t work_asked(const account_record& r) {
    for (const auto& e : r.extensions)
        if (e.type == work_extension && e.value.size() == 1)
            return std::min(static_cast<std::uint8_t>(e.value.front()), crypto::work::bits_max);
    return 0;
}

void ask_work(account_record& r, std::uint8_t bits) {
    std::erase_if(r.extensions, [](const auto& e) { return e.type == work_extension; });
    if (bits == 0) return;
    // The first of the types: in order wherever the others stand.
    r.extensions.insert(r.extensions.begin(),
                        {work_extension, {static_cast<std::byte>(std::min(bits, crypto::work::bits_max))}});
}

bool is_worked_for(const notification& n, std::uint8_t bits) {
    return bits == 0 || (n.work && crypto::work::is_solved(task_of(n), n.id, bits, *n.work));
}

std::optional<std::uint64_t> work_for(const notification& n, std::uint8_t bits, const std::function<bool()>& go_on) {
    return crypto::work::solve(task_of(n), n.id, bits, go_on);
}

}  // namespace pp::peer
