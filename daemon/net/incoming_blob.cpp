#include "daemon/net/incoming_blob.hpp"

namespace pp::net {

result<std::shared_ptr<incoming_blob>> incoming_blob::in_file(const std::filesystem::path& incoming,
                                                              const storage::id16& notification) {
    auto opened = storage::partial_blob::open(incoming, crypto::hex(notification));
    if (!opened) return opened.error();
    auto out = std::make_shared<incoming_blob>();
    out->file_ = std::move(*opened);
    return out;
}

result<std::shared_ptr<incoming_blob>> incoming_blob::of(const peer::notification& note,
                                                         const std::filesystem::path& incoming) {
    if (is_small(note)) return in_memory();
    return in_file(incoming, note.id);
}

result<void> incoming_blob::append(bytes cipher_chunks) {
    if (file_) return file_->append(cipher_chunks);
    if (!whole_.empty()) return storage::errc::too_large;
    whole_ = std::move(cipher_chunks);
    return {};
}

result<bytes> incoming_blob::read_chunk(std::uint64_t index) const {
    if (file_) return file_->read_chunk(index);
    if (index > 0 || whole_.empty()) return storage::errc::not_found;
    return whole_;
}

result<void> incoming_blob::restart() {
    whole_ = bytes();
    return file_ ? file_->restart() : result<void>();
}

void incoming_blob::remove() {
    whole_ = bytes();
    if (file_) file_->remove();
}

}  // namespace pp::net
