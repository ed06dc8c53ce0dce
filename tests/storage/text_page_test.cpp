// Trigrams, pages and segments of the full-text index against the plainest thing that does the same.
#include "storage/text_segment.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <random>
#include <set>

using namespace pp;
using namespace pp::storage;

namespace {

text_index_key fixed_key() {
    std::array<std::byte, 32> raw{};
    raw[0] = std::byte{7};
    return text_index_key(raw);
}

using lists = std::map<text_token, std::vector<segment_mail>>;

lists read_all(const std::vector<bytes>& pages, std::uint32_t posting_pages, std::uint32_t span) {
    lists out;
    for (std::uint32_t i = 0; i < posting_pages; ++i) {
        posting_reader reader(pages[i]);
        posting p;
        while (reader.next(p))
            REQUIRE(p.each(span, [&](segment_mail m) { out[p.token].push_back(m); }));
        REQUIRE(reader.ok());
    }
    return out;
}

// The segment and its pages, of mails as sets of trigrams; mail i has serial first + i.
struct made_segment {
    text_segment segment;
    std::vector<bytes> pages;
};
made_segment segment_of(std::uint64_t first, const std::vector<std::string>& texts, std::uint32_t id) {
    segment_builder builder(first);
    mail_trigrams mail;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        mail.clear();
        mail.add(text_kind::body, 0, texts[i]);
        mail.end(text_kind::body, 0);
        builder.add(first + i, mail);
    }
    made_segment out;
    const token_maker tokens(fixed_key());
    REQUIRE(builder.finish(tokens, [&](bytes page) -> result<void> {
        REQUIRE(page.size() == text_page_bytes);
        out.pages.push_back(std::move(page));
        return {};
    }, out.segment));
    out.segment.id = id;
    out.segment.end = first + texts.size();
    REQUIRE(out.pages.size() == out.segment.pages());
    return out;
}

}  // namespace

TEST_CASE("a mail's trigrams are those of its texts, each with two zeros behind it", "[text]") {
    std::mt19937 dice(1);
    mail_trigrams mail;
    for (int round = 0; round < 50; ++round) {
        std::set<trigram> expected;
        mail.clear();
        for (std::size_t track = 0; track < 3; ++track) {
            const auto kind = static_cast<text_kind>(track);
            std::string text(dice() % 3000, ' ');
            for (auto& c : text) c = static_cast<char>('a' + dice() % 9);
            const auto cut = text.empty() ? 0 : dice() % text.size();
            mail.add(kind, track, std::string_view(text).substr(0, cut));
            mail.add(text_kind::other_header, 7, "x");   // in between, on a track of its own
            mail.end(text_kind::other_header, 7);
            mail.add(kind, track, std::string_view(text).substr(cut));
            mail.end(kind, track);
            if (!text.empty()) text.append(2, '\0');
            for (std::size_t i = 0; i + 2 < text.size(); ++i)
                expected.insert(make_trigram(kind, static_cast<unsigned char>(text[i]),
                                             static_cast<unsigned char>(text[i + 1]),
                                             static_cast<unsigned char>(text[i + 2])));
        }
        expected.insert(make_trigram(text_kind::other_header, 'x', 0, 0));
        REQUIRE(mail.complete());
        CHECK(std::set<trigram>(mail.found().begin(), mail.found().end()) == expected);
        CHECK(mail.found().size() == expected.size());
    }
}

TEST_CASE("a mail with too much of anything is given up", "[text]") {
    std::mt19937 dice(2);
    mail_trigrams mail;
    std::string noise(400 * 1024, ' ');
    for (auto& c : noise) c = static_cast<char>(dice());
    mail.add(text_kind::body, 0, noise);
    CHECK_FALSE(mail.complete());
    CHECK(mail.found().size() <= indexed_trigrams_max);
    mail.clear();
    CHECK(mail.complete());
    const std::string plain(1024 * 1024, 'a');
    for (int i = 0; i < 16; ++i) mail.add(text_kind::body, 0, plain);
    CHECK(mail.complete());
    mail.add(text_kind::body, 0, plain);
    CHECK_FALSE(mail.complete());
}

TEST_CASE("needles of every length", "[text]") {
    CHECK(needle_trigrams(text_kind::body, "").empty());
    CHECK(needle_trigrams(text_kind::body, "a").empty());
    const auto two = needle_trigrams(text_kind::subject, "ab");
    REQUIRE(two.size() == 1);
    CHECK(two[0].size() == 256);
    const auto three = needle_trigrams(text_kind::body, "abc");
    CHECK(three == std::vector<std::vector<trigram>>{{make_trigram(text_kind::body, 'a', 'b', 'c')}});
    CHECK(needle_trigrams(text_kind::body, "aaaaaa").size() == 1);
    std::string longer;
    for (int i = 0; i < 2000; ++i) longer += static_cast<char>(' ' + (i * 7 + i / 90) % 90);
    CHECK(needle_trigrams(text_kind::body, longer).size() == trigrams_per_needle_max);
}

TEST_CASE("pages give back the lists they were made of", "[text]") {
    std::mt19937 dice(3);
    for (const std::uint32_t span : {1u, 7u, 300u, 8192u, segment_span_max}) {
        lists wanted;
        std::vector<bytes> pages;
        page_packer packer([&](bytes page) -> result<void> {
            pages.push_back(std::move(page));
            return {};
        });
        text_token token = 0;
        for (int i = 0; i < 400; ++i) {
            token += 1 + static_cast<text_token>(dice() % 9'000'000);
            const auto share = std::uniform_real_distribution<>(0, i % 40 == 0 ? 1.0 : 0.02)(dice);
            std::vector<segment_mail> mails;
            for (segment_mail m = 0; m < span; ++m)
                if (std::uniform_real_distribution<>(0, 1)(dice) < share) mails.push_back(m);
            if (mails.empty()) mails.push_back(static_cast<segment_mail>(dice() % span));
            REQUIRE(packer.add(token, mails));
            wanted[token] = mails;
        }
        REQUIRE(packer.finish());
        CHECK(packer.posting_pages() + packer.fence_pages() == pages.size());
        CHECK(read_all(pages, packer.posting_pages(), span) == wanted);
        std::size_t fence = 0;
        for (auto i = packer.posting_pages(); i < pages.size(); ++i)
            for (const auto first : *read_fences(pages[i])) {
                posting_reader reader(pages[fence++]);
                posting p;
                REQUIRE(reader.next(p));
                CHECK(p.token == first);
            }
        CHECK(fence == packer.posting_pages());
    }
}

TEST_CASE("a page that is not one is damaged, not believed", "[text]") {
    const auto made = segment_of(1, {"hello world", "hello there"}, 1);
    posting p;
    for (std::size_t at = 0; at < 200; ++at)
        for (unsigned bit = 0; bit < 8; ++bit) {
            auto page = made.pages.front();
            page[at] ^= static_cast<std::byte>(1u << bit);
            posting_reader reader(page);
            while (reader.next(p))
                (void)p.each(2, [](segment_mail m) { REQUIRE(m < 2); });
        }
    const auto two_tokens = [](std::uint64_t first, std::uint64_t difference) {
        byte_writer content, page;
        for (const auto token : {first, difference}) {
            content.varint(token);
            content.varint(0);   // one mail, the first
        }
        page.u8(1);
        page.u16(static_cast<std::uint16_t>(content.size()));
        page.raw(content.out());
        page.zeros(text_page_bytes - page.size());
        posting_reader reader(page.out());
        posting one;
        return reader.next(one) && reader.next(one);
    };
    CHECK(two_tokens(5, 0xffffffffull - 5));
    for (const auto too_far : {0xffffffffull - 4, 0xffffffffull, ~0ull - 5, ~0ull - 4, ~0ull})   // the sum turns over
        CHECK_FALSE(two_tokens(5, too_far));
    CHECK_FALSE(posting_reader(bytes(100)).ok());
    CHECK_FALSE(posting_reader(made.pages.back()).ok());         // fences are no postings
    CHECK_FALSE(read_fences(made.pages.front()).has_value());
    CHECK_FALSE(read_fences(bytes(text_page_bytes)).has_value());
}

TEST_CASE("a segment has of each token the mails that have it; merging keeps them, without the dead", "[text]") {
    std::mt19937 dice(4);
    const token_maker tokens(fixed_key());
    std::vector<made_segment> parts;
    std::vector<std::vector<std::string>> texts;
    std::uint64_t first = 1;
    for (std::uint32_t id = 1; id <= 5; ++id) {
        auto& some = texts.emplace_back();
        for (std::size_t i = 0; i < 1 + dice() % 200; ++i) {
            std::string text(dice() % 400, ' ');
            for (auto& c : text) c = static_cast<char>('a' + dice() % 5);
            some.push_back(std::move(text));
        }
        parts.push_back(segment_of(first, some, id));
        first += some.size();
    }
    const auto alive = [](std::uint64_t serial) { return serial % 7 != 3; };
    std::vector<text_segment> from;
    for (const auto& p : parts) from.push_back(p.segment);
    made_segment merged;
    REQUIRE(merge_segments(from, [&](const text_segment& s, std::uint32_t page) -> result<bytes> {
        REQUIRE(page < s.posting_pages);
        return parts[s.id - 1].pages[page];
    }, alive, [&](bytes page) -> result<void> {
        merged.pages.push_back(std::move(page));
        return {};
    }, merged.segment));
    CHECK(merged.segment.first == 1);
    CHECK(merged.segment.end == first);

    lists expected;
    std::uint32_t living = 0;
    std::uint64_t serial = 1;
    for (const auto& some : texts)
        for (const auto& text : some) {
            if (alive(serial)) {
                ++living;
                std::set<text_token> own;
                if (!text.empty())
                    for (const auto padded = text + std::string(2, '\0'); own.size() < padded.size();) {
                        for (std::size_t i = 0; i + 2 < padded.size(); ++i)
                            own.insert(tokens(make_trigram(text_kind::body, static_cast<unsigned char>(padded[i]),
                                                           static_cast<unsigned char>(padded[i + 1]),
                                                           static_cast<unsigned char>(padded[i + 2]))));
                        break;
                    }
                for (const auto t : own) expected[t].push_back(static_cast<segment_mail>(serial - 1));
            }
            ++serial;
        }
    CHECK(merged.segment.mails == living);
    CHECK(read_all(merged.pages, merged.segment.posting_pages, merged.segment.span()) == expected);
}

TEST_CASE("segments are merged by eights, and in the end there are few", "[text]") {
    std::vector<text_segment> all;
    std::uint64_t written = 0;
    std::uint64_t serial = 1;
    for (int i = 0; i < 20000; ++i) {
        text_segment one;
        one.first = serial;
        one.end = serial += 1;
        one.mails = 1;
        all.push_back(one);
        while (const auto which = segments_to_merge(all)) {
            REQUIRE(which->second - which->first == merge_width);
            text_segment merged;
            merged.first = all[which->first].first;
            merged.end = all[which->second - 1].end;
            for (auto j = which->first; j < which->second; ++j) merged.mails += all[j].mails;
            written += merged.mails;
            all.erase(all.begin() + static_cast<std::ptrdiff_t>(which->first),
                      all.begin() + static_cast<std::ptrdiff_t>(which->second));
            all.insert(all.begin() + static_cast<std::ptrdiff_t>(which->first), merged);
        }
    }
    CHECK(all.size() <= 7 * 6);
    CHECK(written <= 20000 * 5);   // log8(20000)
}

TEST_CASE("the directory row", "[text]") {
    text_directory d;
    d.tag = 77;
    d.wrapped_key = bytes(72, std::byte{1});
    d.next_id = 9;
    d.segments = {{3, 1, 100, 5, 1, 90}, {8, 100, 200, 0, 0, 0}};
    const auto raw = encode_row(d);
    const auto back = decode_text_directory(raw);
    REQUIRE(back.has_value());
    CHECK(back->segments == d.segments);
    CHECK(back->tag == d.tag);
    CHECK(back->end() == 200);
    d.segments[1].first = 101;   // a gap: mails nobody would ever find
    CHECK_FALSE(decode_text_directory(encode_row(d)).has_value());
    for (std::size_t n = 0; n < raw.size(); ++n)
        CHECK_FALSE(decode_text_directory(bytes_view(raw).first(n)).has_value());
}
