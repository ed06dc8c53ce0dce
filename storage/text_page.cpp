#include "storage/text_page.hpp"

#include "storage/attempt.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace pp::storage {

namespace {

constexpr std::uint64_t text_token_max = std::numeric_limits<text_token>::max();
constexpr std::uint8_t posting_page = 1, fence_page = 2;
constexpr std::size_t page_header_bytes = 1 + 2;   // kind, bytes used
constexpr std::size_t page_room = text_page_bytes - page_header_bytes;
constexpr std::size_t fences_per_page = page_room / 4;

enum form : std::uint8_t { one_mail = 0, gaps = 1, bit_field = 2 };
constexpr unsigned form_bits = 2;
// A list is cut when it does not fit; a rest of the page smaller than this is not worth a cut.
constexpr std::size_t cut_room_min = 64;
constexpr std::size_t entry_head_bytes_max = 5 + 3;   // token difference, form and length

// Gaps between the mails of a list as Rice codes: the gap divided by 2^k in ones and a zero, then its k lowest bits.
// Mails that have a trigram lie about as dice would throw them, for which this is nearly the shortest code there is. A
// gap far above the others is written as it is, behind more ones than any other has.
constexpr unsigned escape_ones = 24, escape_bits = 16, rice_bits_max = 15;
static_assert(segment_span_max <= 1u << escape_bits);
constexpr std::size_t gaps_head_bytes_max = 3 + 1;   // count, k

std::size_t rice_bits(std::uint64_t gap, unsigned k) {
    const auto ones = gap >> k;
    return ones < escape_ones ? static_cast<std::size_t>(ones) + 1 + k : escape_ones + escape_bits;
}

class bit_writer {
public:
    explicit bit_writer(byte_writer& out) : out_(out) {}
    void put(std::uint64_t bits, unsigned count) {   // at most 32, lowest first
        held_ |= bits << filled_;
        for (filled_ += count; filled_ >= 8; filled_ -= 8, held_ >>= 8) out_.u8(static_cast<std::uint8_t>(held_));
    }
    void rice(std::uint64_t gap, unsigned k) {
        const auto ones = gap >> k;
        if (ones < escape_ones) {
            put((1ull << ones) - 1, static_cast<unsigned>(ones) + 1);
            put(gap & ((1ull << k) - 1), k);
        } else {
            put((1ull << escape_ones) - 1, escape_ones);
            put(gap, escape_bits);
        }
    }
    void finish() {
        if (filled_ > 0) out_.u8(static_cast<std::uint8_t>(held_));
    }

private:
    byte_writer& out_;
    std::uint64_t held_ = 0;
    unsigned filled_ = 0;
};

// Behind its end it gives zeros and is not ok.
class bit_reader {
public:
    explicit bit_reader(bytes_view in) : in_(in) {}
    std::uint64_t take(unsigned count) {   // at most 32
        while (filled_ < count) {
            if (at_ < in_.size()) held_ |= static_cast<std::uint64_t>(in_[at_]) << filled_;
            ++at_;
            filled_ += 8;
        }
        const auto bits = held_ & ((1ull << count) - 1);
        held_ >>= count;
        filled_ -= count;
        if (at_ - filled_ / 8 > in_.size()) ok_ = false;
        return bits;
    }
    std::uint64_t rice(unsigned k) {
        std::uint64_t ones = 0;
        while (take(1) != 0)
            if (++ones == escape_ones) return take(escape_bits);
        return ones << k | take(k);
    }
    bool ok() const { return ok_; }

private:
    bytes_view in_;
    std::size_t at_ = 0;
    std::uint64_t held_ = 0;
    unsigned filled_ = 0;
    bool ok_ = true;
};

// The k that suits gaps of this average: the logarithm of the median of a geometric distribution.
unsigned rice_parameter(std::uint64_t sum, std::size_t count) {
    const auto median = sum * 7 / (count * 10);
    return median == 0 ? 0 : std::min(rice_bits_max, static_cast<unsigned>(std::bit_width(median)) - 1);
}

std::size_t varint_bytes(std::uint64_t v) {
    return v < 0x80 ? 1 : v < 0x4000 ? 2 : v < 0x200000 ? 3 : v < 0x10000000 ? 4 : 5;
}

std::uint64_t gap(std::span<const segment_mail> mails, std::size_t i) {
    return i == 0 ? mails[0] : mails[i] - mails[i - 1] - 1;
}

std::size_t bits_base(std::span<const segment_mail> mails) { return mails.front() / 8; }

bytes sized_page(std::uint8_t kind, const byte_writer& content) {
    byte_writer w;
    w.u8(kind);
    w.u16(static_cast<std::uint16_t>(content.size()));
    w.raw(content.out());
    w.zeros(text_page_bytes - w.size());
    return w.take();
}

// The content of a page of this kind; what does not fit is empty and not ok.
byte_reader content_of(std::uint8_t kind, bytes_view page) {
    byte_reader r(page);
    const auto found = r.u8();
    const auto used = r.u16();
    if (page.size() != text_page_bytes || found != kind || used > r.left()) r.fail();
    byte_reader content(r.raw(used));
    if (!r.ok()) content.fail();
    return content;
}

}  // namespace

bool mail_bits::empty() const {
    return std::all_of(words_.begin(), words_.end(), [](auto w) { return w == 0; });
}
std::size_t mail_bits::count() const {
    std::size_t n = 0;
    for (const auto w : words_) n += static_cast<std::size_t>(std::popcount(w));
    return n;
}
void mail_bits::keep(const mail_bits& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
}
void mail_bits::join(const mail_bits& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
}
void mail_bits::each(const std::function<void(segment_mail)>& f) const {
    for (std::size_t i = 0; i < words_.size(); ++i)
        for (auto w = words_[i]; w != 0; w &= w - 1)
            f(static_cast<segment_mail>(i * 64 + static_cast<std::size_t>(std::countr_zero(w))));
}

// ------------------------------------------------------------------ reading
result<void> posting::each(std::uint32_t span, const std::function<void(segment_mail)>& f) const {
    if (form_ == one_mail) {
        if (value_ >= span) return errc::damaged;
        f(static_cast<segment_mail>(value_));
        return {};
    }
    byte_reader r(list_);
    if (form_ == gaps) {
        const auto count = r.varint();
        const auto k = r.u8();
        if (!r.ok() || count > span || k > rice_bits_max) return errc::damaged;
        bit_reader bits(r.raw(r.left()));
        std::uint64_t next = 0;
        for (std::uint64_t i = 0; i < count; ++i, ++next) {
            next += bits.rice(k);
            if (!bits.ok() || next >= span) return errc::damaged;
            f(static_cast<segment_mail>(next));
        }
        return {};
    }
    std::uint64_t at = r.varint();
    if (!r.ok() || at > segment_span_max / 8) return errc::damaged;
    at *= 8;
    for (; r.left() > 0; at += 8)
        for (auto bits = static_cast<unsigned>(r.u8()); bits != 0; bits &= bits - 1) {
            const auto m = at + static_cast<unsigned>(std::countr_zero(bits));
            if (m >= span) return errc::damaged;
            f(static_cast<segment_mail>(m));
        }
    return {};
}

result<void> posting::add_to(mail_bits& set) const {
    return each(set.span(), [&](segment_mail m) { set.add(m); });
}

posting_reader::posting_reader(bytes_view page) : in_(content_of(posting_page, page)) {}

bool posting_reader::next(posting& out) {
    if (!in_.ok() || in_.left() == 0) return false;
    const auto difference = in_.varint();
    if (!first_ && difference == 0) in_.fail();   // a token stands in a page once
    if (difference > text_token_max - last_) in_.fail();
    else last_ += difference;
    first_ = false;
    const auto head = in_.varint();
    out.token = static_cast<text_token>(last_);
    out.form_ = static_cast<std::uint8_t>(head & ((1u << form_bits) - 1));
    out.value_ = head >> form_bits;
    out.list_ = {};
    if (out.form_ > bit_field) in_.fail();
    if (in_.ok() && out.form_ != one_mail) {
        if (out.value_ > in_.left() || out.value_ == 0) in_.fail();
        else out.list_ = in_.raw(static_cast<std::size_t>(out.value_));
    }
    return in_.ok();
}

result<std::vector<text_token>> read_fences(bytes_view page) {
    auto r = content_of(fence_page, page);
    if (!r.ok() || r.left() == 0 || r.left() % 4 != 0) return errc::damaged;
    std::vector<text_token> out(r.left() / 4);
    for (auto& token : out) token = r.u32();
    if (!std::is_sorted(out.begin(), out.end())) return errc::damaged;
    return out;
}

// ------------------------------------------------------------------ writing
result<void> page_packer::add(text_token token, std::span<const segment_mail> mails) {
    while (!mails.empty()) {
        const bool fresh = page_.size() == 0;
        const auto difference = fresh ? token : token - last_;
        const auto room = page_room - page_.size();
        const auto k = rice_parameter(mails.back() + 1 - mails.size(), mails.size());
        std::size_t gaps_bits = 0;
        for (std::size_t i = 0; i < mails.size(); ++i) gaps_bits += rice_bits(gap(mails, i), k);
        const auto gaps_bytes = varint_bytes(mails.size()) + 1 + (gaps_bits + 7) / 8;
        const auto base = bits_base(mails);
        const auto bits_bytes = varint_bytes(base) + mails.back() / 8 - base + 1;
        const auto smaller = mails.size() == 1 ? 0 : std::min(gaps_bytes, bits_bytes);
        const bool whole = smaller + entry_head_bytes_max <= room;
        if (!whole && room < cut_room_min) {
            PP_TRY(flush());
            continue;
        }
        const auto list_room = room - entry_head_bytes_max;
        std::size_t taken = mails.size();
        byte_writer list;
        const bool as_gaps = gaps_bytes <= bits_bytes;
        if (mails.size() == 1) {
            taken = 1;
        } else if (as_gaps) {
            const auto bits_room = whole ? gaps_bits : (list_room - gaps_head_bytes_max) * 8;
            std::size_t used = 0;
            for (taken = 0; taken < mails.size() && used + rice_bits(gap(mails, taken), k) <= bits_room; ++taken)
                used += rice_bits(gap(mails, taken), k);
            list.varint(taken);
            list.u8(static_cast<std::uint8_t>(k));
            bit_writer bits(list);
            for (std::size_t i = 0; i < taken; ++i) bits.rice(gap(mails, i), k);
            bits.finish();
        } else {
            list.varint(base);
            const auto end = (base + list_room - list.size()) * 8;   // the first mail behind the room
            taken = static_cast<std::size_t>(std::lower_bound(mails.begin(), mails.end(), end) - mails.begin());
            const auto at = list.size();
            list.zeros(mails[taken - 1] / 8 - base + 1);
            for (const auto m : mails.first(taken))
                list.out()[at + m / 8 - base] |= static_cast<std::byte>(1u << (m % 8));
        }
        if (fresh) fences_.push_back(token);
        page_.varint(difference);
        if (mails.size() == 1) {
            page_.varint(static_cast<std::uint64_t>(mails.front()) << form_bits | one_mail);
        } else {
            page_.varint(static_cast<std::uint64_t>(list.size()) << form_bits | (as_gaps ? gaps : bit_field));
            page_.raw(list.out());
        }
        last_ = token;
        mails = mails.subspan(taken);
        if (!mails.empty()) PP_TRY(flush());
    }
    return {};
}

result<void> page_packer::flush() {
    if (page_.size() == 0) return {};
    auto page = sized_page(posting_page, page_);
    page_.out().clear();
    return take_(std::move(page));
}

result<void> page_packer::finish() {
    PP_TRY(flush());
    for (std::size_t i = 0; i < fences_.size(); i += fences_per_page) {
        byte_writer w;
        for (auto j = i; j < std::min(i + fences_per_page, fences_.size()); ++j) w.u32(fences_[j]);
        PP_TRY(take_(sized_page(fence_page, w)));
        ++fence_pages_;
    }
    return {};
}

}  // namespace pp::storage
