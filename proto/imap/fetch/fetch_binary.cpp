// BINARY and BINARY.SIZE (RFC 3516 section 4.3): parts without their transfer encoding. How long one is becomes known
// only by decoding it: what is too large to hold is decoded twice.
#include "proto/imap/fetch/fetch_writer.hpp"

#include <algorithm>

namespace pp::imap {

namespace {

constexpr std::uint64_t no_end = UINT64_MAX;

// What of a piece that begins at `at` of the decoded text lies in [wanted].
std::string_view overlap(std::string_view piece, std::uint64_t at, byte_range wanted) {
    const auto end = wanted.length > no_end - wanted.offset ? no_end : wanted.offset + wanted.length;
    const auto from = std::max(at, wanted.offset);
    const auto to = std::min<std::uint64_t>(at + piece.size(), end);
    return from < to ? piece.substr(from - at, to - from) : std::string_view();
}

}  // namespace

wire::task<> fetch_writer::write_binary(const message_row& row, const fetch_item& item) {
    const auto name = item.name();
    const auto place = locate(item.section, *row.index);
    if (!place) {
        begin_item(name);
        text_ += "NIL";
        co_return;
    }
    // Only leaves have an encoding to undo; the mail itself, multiparts and messages are given as they are.
    const auto* part = item.section.part.empty() ? nullptr : find_part(*row.index, item.section.part);
    const bool leaf = part != nullptr && part->children.empty();
    const auto encoding = leaf ? known_transfer_encoding(part->encoding) : transfer_encoding::identity;
    if (!encoding) {   // RFC 3516 section 4.3: the command fails, what else was asked for is given
        trouble_ = no("The encoding of a part is not known", "UNKNOWN-CTE");
        co_return;
    }
    byte_range encoded = *place, wanted{0, no_end};
    if (*encoding == transfer_encoding::identity) {
        encoded = clip(*place, item.partial);
        if (encoded.length > body_piece_bytes_max) {
            co_await stream(row, name, encoded, literal_form::binary);
            co_return;
        }
    } else if (item.partial) {
        wanted = {item.partial->offset, item.partial->count};
    }
    std::string kept;
    const auto decoded = co_await decode(row, encoded, *encoding, wanted, kept);
    if (!decoded) co_return;
    const auto size = *decoded <= wanted.offset ? 0 : std::min(wanted.length, *decoded - wanted.offset);
    if (size == kept.size()) {
        const bool nul = kept.find('\0') != std::string::npos;
        text_item(name, kept, nul ? literal_form::binary : literal_form::text);
        co_return;
    }
    announce(name, size, literal_form::binary);
    const byte_range exactly{wanted.offset, size};
    co_await stream_decoded(row, encoded, *encoding, exactly);
}

wire::task<> fetch_writer::write_binary_size(const message_row& row, const fetch_item& item) {
    const auto name = item.name();
    const auto place = locate(item.section, *row.index);
    const auto* part = item.section.part.empty() ? nullptr : find_part(*row.index, item.section.part);
    std::uint64_t size = place ? place->length : 0;
    if (place && part != nullptr && part->children.empty()) {
        const auto encoding = known_transfer_encoding(part->encoding);
        if (!encoding) {
            trouble_ = no("The encoding of a part is not known", "UNKNOWN-CTE");
            co_return;
        }
        if (*encoding != transfer_encoding::identity) {
            std::string none;
            const byte_range nothing_of_it{no_end, 0};
            const auto decoded = co_await decode(row, *place, *encoding, nothing_of_it, none);
            if (!decoded) co_return;
            size = *decoded;
        }
    }
    begin_item(name);
    text_ += std::to_string(size);
}

wire::task<std::optional<std::uint64_t>> fetch_writer::decode(const message_row& row, byte_range encoded,
                                                              transfer_encoding encoding, byte_range wanted,
                                                              std::string& kept) {
    transfer_decoder decoder(encoding);
    std::string out;
    std::uint64_t decoded = 0;
    bool keeps = true;
    const auto enough = wanted.length > no_end - wanted.offset ? no_end : wanted.offset + wanted.length;
    for (std::uint64_t done = 0; done <= encoded.length && decoded < enough;) {
        out.clear();
        if (done < encoded.length) {
            const byte_range next{encoded.offset + done, piece_of(encoded.length - done)};
            const auto piece = co_await read_piece(row, next, false);
            if (!piece) co_return std::nullopt;
            decoder.update(as_text(*piece), out);
            done += next.length;
        } else {
            decoder.finish(out);
            ++done;
        }
        const auto part = overlap(out, decoded, wanted);
        keeps = keeps && kept.size() + part.size() <= body_piece_bytes_max;
        if (keeps) kept += part;
        else kept.clear();
        decoded += out.size();
    }
    co_return decoded;
}

// The second pass of a part too large to hold: the literal is announced, its size known from the first.
wire::task<> fetch_writer::stream_decoded(const message_row& row, byte_range encoded, transfer_encoding encoding,
                                          byte_range wanted) {
    transfer_decoder decoder(encoding);
    std::string out;
    std::uint64_t decoded = 0, given = 0;
    for (std::uint64_t done = 0; done < encoded.length && given < wanted.length;) {
        const byte_range next{encoded.offset + done, piece_of(encoded.length - done)};
        const auto piece = co_await read_piece(row, next, true);
        if (!piece) co_return;
        done += next.length;
        out.clear();
        decoder.update(as_text(*piece), out);
        if (done == encoded.length) decoder.finish(out);
        const auto part = overlap(out, decoded, wanted);
        decoded += out.size();
        given += part.size();
        c_.send(part);
        co_await c_.drained();
        if (c_.over) co_return;
    }
    if (given != wanted.length) c_.over = true;   // other bytes than in the first pass: never a short literal
}

}  // namespace pp::imap
