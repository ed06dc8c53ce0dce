#include "daemon/engine/mail_text.hpp"

#include "proto/imap/search/searchable_text.hpp"
#include "storage/txn.hpp"

namespace pp::engine {

namespace {

storage::text_kind kind_of(imap::text_stream where) {
    switch (where) {
    case imap::text_stream::subject: return storage::text_kind::subject;
    case imap::text_stream::address: return storage::text_kind::address;
    case imap::text_stream::other_header: return storage::text_kind::other_header;
    case imap::text_stream::body:
    case imap::text_stream::reduced_html: break;
    }
    return storage::text_kind::body;
}

// Folds each text as SEARCH does and hands it on.
class trigram_sink final : public imap::text_sink {
public:
    explicit trigram_sink(storage::mail_trigrams& out) : out_(out) {}

    void text(imap::text_stream where, std::string_view utf8) override {
        folder(where).update(utf8, [&](std::string_view folded) { return add(where, folded); });
    }
    void text_ended(imap::text_stream where) override {
        folder(where).finish([&](std::string_view folded) { return add(where, folded); });
        out_.end(kind_of(where), static_cast<std::size_t>(where));
    }
    void header_value(imap::text_stream where, std::string_view utf8) override {
        out_.add(kind_of(where), value_track, imap::fold_text(utf8));
        out_.end(kind_of(where), value_track);
    }

private:
    static constexpr std::size_t value_track = imap::text_stream_count;
    static_assert(value_track < storage::mail_trigrams::tracks_max);

    bool add(imap::text_stream where, std::string_view folded) {
        out_.add(kind_of(where), static_cast<std::size_t>(where), folded);
        return out_.complete();
    }
    imap::text_folder& folder(imap::text_stream where) { return folders_[static_cast<std::size_t>(where)]; }

    storage::mail_trigrams& out_;
    std::array<imap::text_folder, imap::text_stream_count> folders_;
};

}  // namespace

result<void> read_mail_text(const storage::account_store& store, std::uint64_t mail_serial, storage::mail_trigrams& out,
                            const std::function<bool()>& stop) {
    auto index = store.read([&](const storage::read_txn& txn) { return txn.index_of(mail_serial); });
    if (!index) return index.error();
    auto reader = store.open_blob(mail_serial);
    if (!reader) return reader.error();
    if (!*index || (*index)->parts.empty()) {
        out.give_up();
        return {};
    }
    imap::searchable_text text(std::move(*index), true);
    trigram_sink sink(out);
    bytes piece;
    while (const auto wanted = text.wants()) {
        if (stop()) return storage::errc::read_only;
        piece.resize(static_cast<std::size_t>(wanted->length));
        const auto n = (*reader)->read(wanted->offset, piece);
        if (!n) return n.error();
        if (*n != piece.size()) out.give_up();
        if (!out.complete()) return {};
        text.give(as_text(piece), sink);
    }
    if (!text.header_is_plain()) out.give_up();
    return {};
}

storage::text_question text_question_of(const imap::text_needle& needle) {
    const auto bit = [](storage::text_kind kind) {
        return static_cast<std::uint8_t>(1u << static_cast<unsigned>(kind));
    };
    storage::text_question out;
    out.folded = needle.folded;
    switch (needle.place) {
    case imap::needle_place::body: out.kinds = bit(storage::text_kind::body); break;
    case imap::needle_place::anywhere: out.kinds = (1u << storage::text_kind_count) - 1; break;
    case imap::needle_place::field: out.kinds = bit(kind_of(imap::stream_of_field(needle.field))); break;
    }
    return out;
}

}  // namespace pp::engine
