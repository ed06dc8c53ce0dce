// What has come of a mail that is being fetched, every byte of it verified: in a file of incoming/, which a restart
// takes up again, or, when it is one chunk, in memory: it comes whole or not at all. Any one thread.
#pragma once

#include "proto/peer/messages.hpp"
#include "storage/blob_store.hpp"

#include <filesystem>
#include <optional>

namespace pp::net {

class incoming_blob {
public:
    // Opens or begins a file. What came through a relay is always in one (its pieces are no chunks).
    static result<std::shared_ptr<incoming_blob>> in_file(const std::filesystem::path& incoming,
                                                          const storage::id16& notification);
    static std::shared_ptr<incoming_blob> in_memory() { return std::make_shared<incoming_blob>(); }
    // Where the mail of this notification comes to when it is fetched over a link.
    static result<std::shared_ptr<incoming_blob>> of(const peer::notification& note,
                                                     const std::filesystem::path& incoming);
    // A mail of one chunk: asked for once, kept in memory.
    static bool is_small(const peer::notification& note) {
        return note.cipher_bytes <= crypto::chunk_cipher_bytes && !note.answer;
    }

    bool is_in_memory() const { return !file_.has_value(); }
    std::uint64_t whole_chunks() const { return file_ ? file_->whole_chunks() : whole_.empty() ? 0 : 1; }
    result<void> append(bytes cipher_chunks);
    result<bytes> read_chunk(std::uint64_t index) const;
    result<void> restart();
    void remove();                   // after the mail is durable

    crypto::blob_header header{};    // once a part of it has been verified

private:
    std::optional<storage::partial_blob> file_;
    bytes whole_;
};

}  // namespace pp::net
