// The keyring's named secrets and their bytes (storage/FORMAT.md, "Keyring body"): for each secret, in the order of the
// names, u16 length and name, u32 length and value, all little-endian. Strict order makes one body one byte string.
#include "crypto/keyring.hpp"

#include "crypto/assert.hpp"

namespace pp::crypto {

namespace {

void put_le(bytes& out, std::uint64_t value, std::size_t width) {
    for (std::size_t i = 0; i < width; ++i) out.push_back(static_cast<std::byte>(value >> (8 * i) & 0xff));
}

constexpr std::size_t name_length_bytes = 2, value_length_bytes = 4;

// Takes a length of `width` bytes and then so many bytes off the front. False when they are not there.
bool take_counted(bytes_view& from, std::size_t width, bytes_view& out) {
    if (from.size() < width) return false;
    std::uint64_t length = 0;
    for (std::size_t i = width; i-- > 0;) length = length << 8 | std::to_integer<std::uint64_t>(from[i]);
    if (length > from.size() - width) return false;
    out = from.subspan(width, static_cast<std::size_t>(length));
    from = from.subspan(width + static_cast<std::size_t>(length));
    return true;
}

void wipe(bytes& secret) { sodium_memzero(secret.data(), secret.size()); }

}  // namespace

keyring_body::~keyring_body() {
    for (auto& [name, secret] : secrets_) wipe(secret);
}

keyring_body& keyring_body::operator=(keyring_body&& other) noexcept {
    if (this == &other) return *this;
    for (auto& [name, secret] : secrets_) wipe(secret);
    secrets_ = std::move(other.secrets_);
    return *this;
}

void keyring_body::put(const std::string& name, bytes_view secret) {
    PP_ASSERT(!name.empty() && name.size() <= keyring_name_bytes_max);
    PP_ASSERT(secret.size() <= keyring_secret_bytes_max);
    bytes copy = to_bytes(secret);   // first: secret may be a view of the value that is replaced
    auto& place = secrets_[name];
    wipe(place);
    place = std::move(copy);
}

bool keyring_body::erase(const std::string& name) {
    const auto found = secrets_.find(name);
    if (found == secrets_.end()) return false;
    wipe(found->second);
    secrets_.erase(found);
    return true;
}

std::optional<bytes_view> keyring_body::get(const std::string& name) const {
    const auto found = secrets_.find(name);
    if (found == secrets_.end()) return std::nullopt;
    return bytes_view(found->second);
}

std::vector<std::string> keyring_body::names(std::string_view prefix) const {
    std::vector<std::string> out;
    for (auto at = secrets_.lower_bound(std::string(prefix)); at != secrets_.end() && at->first.starts_with(prefix);
         ++at)
        out.push_back(at->first);
    return out;
}

bytes keyring_body::encode() const {
    std::size_t total = 0;
    for (const auto& [name, secret] : secrets_)
        total += name_length_bytes + name.size() + value_length_bytes + secret.size();
    bytes out;
    out.reserve(total);   // once, so that growing leaves no secrets behind
    for (const auto& [name, secret] : secrets_) {
        put_le(out, name.size(), name_length_bytes);
        const auto text = as_bytes(name);
        out.insert(out.end(), text.begin(), text.end());
        put_le(out, secret.size(), value_length_bytes);
        out.insert(out.end(), secret.begin(), secret.end());
    }
    return out;
}

result<keyring_body> keyring_body::decode(bytes_view encoded) {
    keyring_body out;
    std::string_view before;
    while (!encoded.empty()) {
        bytes_view name, value;
        if (!take_counted(encoded, name_length_bytes, name) || !take_counted(encoded, value_length_bytes, value))
            return errc::bad_header;
        if (name.empty() || name.size() > keyring_name_bytes_max || value.size() > keyring_secret_bytes_max)
            return errc::bad_header;
        if (as_text(name) <= before) return errc::bad_header;
        before = as_text(name);
        out.secrets_.emplace_hint(out.secrets_.end(), std::string(before), to_bytes(value));
    }
    return out;
}

}  // namespace pp::crypto
