// The line and boundary machine of the MIME indexer (RFC 2046 section 5.1, RFC 5322 section 2.1): one pass over the
// bytes in any pieces, everything decided at line ends.
//
//   header --blank line--> body of a leaf | preamble of a multipart | header of the mail inside message/rfc822
//   any --line "--boundary" of an open multipart--> its parts end; header of its next part
//   any --line "--boundary--"--> its parts end; epilogue, which is body of the multipart
//
// Invariants: frames_ are the open parts from the mail down to the current one, each the parent of the next; every
// range lies within that of its parent; only header lines and lines that begin with "-" are ever copied.
#include "proto/mail/ascii.hpp"
#include "proto/mail/message_index.hpp"
#include "proto/mail/part_header.hpp"

#include <algorithm>
#include <cstring>

namespace pp::mail {
namespace {

constexpr std::size_t boundary_line_bytes_max = 2 + boundary_bytes_max + 2;   // both pairs of dashes

// RFC 2046 section 5.2.1: a mail inside may not be encoded; where it is, it is opaque.
bool may_hold_a_mail(const message_part& part) {
    if (!ascii::equal_no_case(part.type, "message")) return false;
    if (!ascii::equal_no_case(part.subtype, "rfc822") && !ascii::equal_no_case(part.subtype, "global")) return false;
    return !part.encoding || (!ascii::equal_no_case(*part.encoding, "base64") &&
                              !ascii::equal_no_case(*part.encoding, "quoted-printable"));
}

}  // namespace

struct message_indexer::state {
    struct frame {
        std::int32_t part = -1;
        std::int32_t envelope = -1;          // of the mail this part is the root of; else -1
        std::string boundary;                // empty: no boundary line can begin a part of it (any more)
        bool digest = false;
        std::uint64_t lines_at_body = 0;
    };

    state() { open_part(-1, true, false, 0); }

    void update(std::string_view piece) {
        while (!piece.empty()) piece.remove_prefix(in_header_ ? header_bytes(piece) : body_bytes(piece));
    }

    const std::optional<std::string>& listed() const { return listed_; }

    message_index finish() {
        if (line_bytes_ > 0) end_line(0, offset_);   // a last line without an end may be a boundary all the same
        while (in_header_) end_header(offset_);
        close_frames(0, offset_, lines_);
        index_.size_bytes = offset_;
        return std::move(index_);
    }

private:
    message_part& part_of(const frame& f) { return index_.parts[static_cast<std::size_t>(f.part)]; }
    envelope* envelope_of(const frame& f) {
        return f.envelope < 0 ? nullptr : &index_.envelopes[static_cast<std::size_t>(f.envelope)];
    }
    bool full() const { return index_.parts.size() >= mime_parts_max; }

    // Takes bytes of the header up to the end of the line; returns how many.
    std::size_t header_bytes(std::string_view piece) {
        const auto* end = static_cast<const char*>(std::memchr(piece.data(), '\n', piece.size()));
        const auto n = end ? static_cast<std::size_t>(end - piece.data()) + 1 : piece.size();
        const auto room = header_field_bytes_max - std::min(line_.size(), header_field_bytes_max);
        line_.append(piece.substr(0, std::min(n, room)));
        advance(piece.substr(0, n), end != nullptr);
        return n;
    }

    // Takes bytes of a body; as many lines as there are, unless one is a boundary.
    std::size_t body_bytes(std::string_view piece) {
        if (open_boundaries_ == 0 || full()) {   // no line can matter any more: only count them
            const auto n = piece.size();
            lines_ += static_cast<std::uint64_t>(std::count(piece.begin(), piece.end(), '\n'));
            offset_ += n;
            line_bytes_ = 0;
            return n;
        }
        if (line_bytes_ > 0 || piece.front() == '-') {   // the rest of a line, or one that may be a boundary
            const auto* end = static_cast<const char*>(std::memchr(piece.data(), '\n', piece.size()));
            const auto n = end ? static_cast<std::size_t>(end - piece.data()) + 1 : piece.size();
            if (line_bytes_ == 0 || (!line_.empty() && line_.size() < boundary_line_bytes_max))
                line_.append(piece.substr(0, std::min(n, boundary_line_bytes_max - line_.size())));
            advance(piece.substr(0, n), end != nullptr);
            return n;
        }
        // Whole lines that begin with something else: the hot loop.
        const char* const begin = piece.data();
        const char* const stop = begin + piece.size();
        const char* line = begin;
        while (line != stop && *line != '-') {
            const auto* end = static_cast<const char*>(std::memchr(line, '\n', static_cast<std::size_t>(stop - line)));
            if (!end) break;
            previous_eol_ = end != line && end[-1] == '\r' ? 2 : 1;
            ++lines_;
            line = end + 1;
        }
        const auto whole = static_cast<std::size_t>(line - begin);
        if (whole > 0) {
            offset_ += whole;
            line_start_ = offset_;
            last_byte_ = '\n';
            return whole;
        }
        advance(piece, false);
        return piece.size();
    }

    // Accounts for bytes of the current line, the last of which is its LF when `ends`.
    void advance(std::string_view bytes, bool ends) {
        const char before_last = bytes.size() > 1 ? bytes[bytes.size() - 2] : last_byte_;
        const bool crlf = ends && before_last == '\r' && line_bytes_ + bytes.size() > 1;
        offset_ += bytes.size();
        line_bytes_ += bytes.size();
        last_byte_ = bytes.back();
        if (ends) end_line(crlf ? 2 : 1, offset_);
    }

    // The line from line_start_ to `end`, whose last `eol` bytes end it, is complete.
    void end_line(std::uint64_t eol, std::uint64_t end) {
        const auto start = line_start_;
        const auto text_bytes = line_bytes_ - eol;
        const auto lines_before = lines_;
        const auto eol_before = previous_eol_;
        if (eol > 0) ++lines_;
        line_start_ = end;
        line_bytes_ = 0;
        previous_eol_ = eol;
        if (!boundary_line(start, end, eol_before, lines_before) && in_header_)
            header_line(text_bytes, text_bytes + eol, end);
        line_.clear();
    }

    // RFC 2046 section 5.1.1: a line matches that begins with the boundary. Of several, the longest is meant; of equal
    // ones, the innermost. The line end before it belongs to it.
    bool boundary_line(std::uint64_t start, std::uint64_t end, std::uint64_t eol_before, std::uint64_t lines_before) {
        if (open_boundaries_ == 0 || full() || line_.size() < 3 || line_[0] != '-' || line_[1] != '-') return false;
        const auto text = std::string_view(line_).substr(2);
        std::size_t best = frames_.size();
        for (std::size_t i = frames_.size(); i-- > 0;) {
            const auto& b = frames_[i].boundary;
            if (!b.empty() && text.substr(0, b.size()) == b &&
                (best == frames_.size() || b.size() > frames_[best].boundary.size()))
                best = i;
        }
        if (best == frames_.size()) return false;

        const auto body_end = start - eol_before;
        while (in_header_) end_header(std::max(body_end, part_of(frames_.back()).header_offset));
        close_frames(best + 1, body_end, lines_before - (eol_before > 0 ? 1 : 0));
        auto& owner = frames_[best];
        if (text.substr(owner.boundary.size()).substr(0, 2) == "--") {
            owner.boundary.clear();
            --open_boundaries_;
        } else {
            open_part(owner.part, false, owner.digest, end);
        }
        return true;
    }

    void header_line(std::uint64_t text_bytes, std::uint64_t line_bytes, std::uint64_t end) {
        const bool own = frames_.size() == 1;   // the mail's own header, not that of a part
        if (text_bytes == 0) {
            flush_field();
            if (own && listed_) listed_->append(line_);
            end_header(end);
            return;
        }
        ++header_lines_;
        const bool within = header_lines_ <= header_lines_max &&
                            end - part_of(frames_.back()).header_offset <= header_block_bytes_max;
        const bool continues = !field_.empty() && ascii::is_blank(line_[0]);
        if (!continues) flush_field();
        // Beyond the limits, or begun with a continuation, the header and its subset may be read differently.
        if (own && (!within || line_.size() != line_bytes || (!continues && ascii::is_blank(line_[0]))))
            listed_.reset();
        if (within && (continues || !ascii::is_blank(line_[0])))
            field_.append(line_, 0, header_field_bytes_max - std::min(field_.size(), header_field_bytes_max));
    }

    void flush_field() {
        if (field_.empty()) return;
        if (frames_.size() == 1 && listed_) list(field_);
        header_.field(field_, part_of(frames_.back()), envelope_of(frames_.back()));
        field_.clear();
    }

    void list(std::string_view field) {
        const auto colon = field.find(':');
        if (colon == field.npos || !is_listed_field(ascii::trim(field.substr(0, colon)))) return;
        if (field.size() >= header_field_bytes_max || listed_->size() + field.size() > listed_header_bytes_max)
            listed_.reset();
        else
            listed_->append(field);
    }

    // The header of the current part ends at header_end; its body begins there.
    void end_header(std::uint64_t header_end) {
        flush_field();
        in_header_ = false;
        auto& f = frames_.back();
        auto& part = part_of(f);
        header_.finish(part, envelope_of(f));
        part.header_bytes = header_end - part.header_offset;
        part.body_offset = header_end;
        f.lines_at_body = lines_;
        if (frames_.size() >= mime_depth_max) return;
        if (!header_.boundary().empty() && header_.boundary().size() <= boundary_bytes_max) {
            f.boundary = header_.boundary();
            f.digest = ascii::equal_no_case(part.subtype, "digest");
            ++open_boundaries_;
        } else if (may_hold_a_mail(part) && !full()) {
            open_part(f.part, true, false, header_end);
        }
    }

    void open_part(std::int32_t parent, bool is_mail, bool in_digest, std::uint64_t header_offset) {
        const auto number = static_cast<std::int32_t>(index_.parts.size());
        auto& part = index_.parts.emplace_back();
        part.parent = parent;
        part.header_offset = header_offset;
        frame f{.part = number};
        if (is_mail) {
            f.envelope = static_cast<std::int32_t>(index_.envelopes.size());
            index_.envelopes.emplace_back();
        }
        if (parent >= 0) {
            auto& above = index_.parts[static_cast<std::size_t>(parent)];
            above.children.push_back(number);
            if (is_mail) above.envelope_number = f.envelope;
        }
        frames_.push_back(std::move(f));
        header_ = part_header(budget_, in_digest);
        header_lines_ = 0;
        field_.clear();
        in_header_ = true;
    }

    // Ends the open parts from `first` on at body_end, before which there are `lines` line ends. The outermost of them
    // may end its header there at the latest; those inside it may have read further than it goes and are cut to it.
    void close_frames(std::size_t first, std::uint64_t body_end, std::uint64_t lines) {
        auto limit = body_end;
        for (std::size_t i = first; i < frames_.size(); ++i) {
            auto& part = part_of(frames_[i]);
            if (i == first) {
                limit = std::max(limit, part.body_offset);
            } else if (part.body_offset > limit) {
                part.header_offset = std::min(part.header_offset, limit);
                part.header_bytes = limit - part.header_offset;
                part.body_offset = limit;
            }
            part.body_bytes = limit - part.body_offset;
            part.body_lines = part.body_bytes == 0 ? 0 : lines - frames_[i].lines_at_body;
            if (!frames_[i].boundary.empty()) --open_boundaries_;
        }
        frames_.erase(frames_.begin() + static_cast<std::ptrdiff_t>(first), frames_.end());
    }

    message_index index_;
    std::optional<std::string> listed_ = std::string();
    text_budget budget_;
    part_header header_{budget_, false};
    std::vector<frame> frames_;
    std::size_t open_boundaries_ = 0;
    bool in_header_ = false;
    std::size_t header_lines_ = 0;
    std::string field_;                       // the current header field with its folds, cut at its limit
    std::string line_;                        // the current line as far as it can matter
    std::uint64_t offset_ = 0, line_start_ = 0, line_bytes_ = 0, lines_ = 0;
    std::uint64_t previous_eol_ = 0;          // bytes of the line end before line_start_
    char last_byte_ = 0;
};

message_indexer::message_indexer() : state_(std::make_unique<state>()) {}
message_indexer::~message_indexer() = default;
message_indexer::message_indexer(message_indexer&&) noexcept = default;
message_indexer& message_indexer::operator=(message_indexer&&) noexcept = default;
void message_indexer::update(std::string_view piece) { state_->update(piece); }
message_index message_indexer::finish() { return state_->finish(); }
const std::optional<std::string>& message_indexer::listed_header() const { return state_->listed(); }

message_index index_message(std::string_view whole) {
    message_indexer indexer;
    indexer.update(whole);
    return indexer.finish();
}

}  // namespace pp::mail
