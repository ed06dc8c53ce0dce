#include "storage/attempt.hpp"
#include "storage/blob_files.hpp"

namespace pp::storage {

struct partial_blob::state {
    std::filesystem::path path;
    durable::file file;
    std::uint64_t bytes = 0;
    bool ended = false;          // a short chunk was appended: it is the last
};

partial_blob::partial_blob(std::unique_ptr<state> s) : state_(std::move(s)) {}
partial_blob::partial_blob(partial_blob&&) noexcept = default;
partial_blob& partial_blob::operator=(partial_blob&&) noexcept = default;
partial_blob::~partial_blob() = default;

result<partial_blob> partial_blob::open(const std::filesystem::path& incoming, std::string_view name) {
    // Names are ours (hex ids), but one that leaves the folder must not be possible.
    if (name.empty() || name.size() > 128 || name.find('/') != name.npos || name.front() == '.') return errc::not_found;
    auto s = std::make_unique<state>();
    PP_TRY(durable::make_directory(incoming));
    s->path = incoming / std::string(name);
    auto opened = durable::open_file(s->path, durable::mode::read_write);
    if (!opened && opened.error() == errc::not_found) opened = durable::open_file(s->path, durable::mode::create_new);
    if (!opened) return opened.error();
    s->file = std::move(*opened);
    PP_LET(const auto size, s->file.size());
    // A chunk that was being written when the power went counts as not there. The short last chunk of a blob is not
    // known from a torn one, so it is fetched again.
    s->bytes = size / crypto::chunk_cipher_bytes * crypto::chunk_cipher_bytes;
    if (s->bytes != size) PP_TRY(s->file.truncate(s->bytes));
    return partial_blob(std::move(s));
}

std::uint64_t partial_blob::whole_chunks() const {
    return (state_->bytes + crypto::chunk_cipher_bytes - 1) / crypto::chunk_cipher_bytes;
}

result<void> partial_blob::append(bytes_view cipher_chunks) {
    if (state_->ended) return errc::too_large;
    if (const auto written = state_->file.write_at(state_->bytes, cipher_chunks); !written) {
        (void)state_->file.truncate(state_->bytes);
        return written.error();
    }
    state_->bytes += cipher_chunks.size();
    state_->ended = state_->bytes % crypto::chunk_cipher_bytes != 0;
    return {};
}

result<bytes> partial_blob::read_chunk(std::uint64_t index) const {
    if (index >= whole_chunks()) return errc::not_found;
    const auto offset = index * crypto::chunk_cipher_bytes;
    bytes out(static_cast<std::size_t>(std::min<std::uint64_t>(crypto::chunk_cipher_bytes, state_->bytes - offset)));
    PP_LET(const auto n, state_->file.read_at(offset, out));
    if (n != out.size()) return errc::damaged;
    return out;
}

result<void> partial_blob::restart() {
    PP_TRY(state_->file.truncate(0));
    state_->bytes = 0;
    state_->ended = false;
    return {};
}

void partial_blob::remove() {
    (void)durable::unlink_file(state_->path);
    state_->file.close();
}

}  // namespace pp::storage
