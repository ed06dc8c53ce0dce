// Finding strings in text that comes in pieces, and HTML reduced to text (RFC 9051 section 6.4.4).
#include "proto/imap/search/search_text.hpp"

#include <catch2/catch.hpp>

using namespace pp::imap;

namespace {

bool found(std::string_view text, std::string_view needle, std::size_t cut) {
    text_finder finder;
    finder.add(7, fold_text(needle));
    finder.update(text.substr(0, cut));
    finder.update(text.substr(cut));
    finder.finish();
    return finder.found() == std::vector<std::uint32_t>{7};
}
std::string reduced(std::string_view html, std::size_t cut) {
    html_reducer reducer;
    std::string out;
    reducer.update(html.substr(0, cut), out);
    reducer.update(html.substr(cut), out);
    return out;
}

}  // namespace

TEST_CASE("a match is found wherever the text is cut", "[imap][search]") {
    const std::string text = "The Quick br\u00d6wn fox and the \u041e\u0442\u043f\u0443\u0441\u043a";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        INFO(cut);
        CHECK(found(text, "quick BR\u00f6WN", cut));
        CHECK(found(text, "\u043e\u0422\u041f\u0443\u0441\u043a", cut));
        CHECK(found(text, "k br", cut));
        CHECK(found(text, "t", cut));
        CHECK(found(text, "", cut));
        CHECK_FALSE(found(text, "quickbr", cut));
        CHECK_FALSE(found(text, "the \u041e\u0442\u043f\u0443\u0441\u043a\u0430", cut));
    }
}

TEST_CASE("a match does not go on into the next text", "[imap][search]") {
    text_finder finder;
    finder.add(1, fold_text("onetwo"));
    finder.update("one");
    finder.finish();
    finder.update("two");
    finder.finish();
    CHECK(finder.found().empty());
    CHECK_FALSE(finder.done());
    finder.update("onet");
    finder.update("wo.");
    finder.finish();
    CHECK(finder.done());
}

TEST_CASE("several strings are looked for at once, each is found once", "[imap][search]") {
    text_finder finder;
    finder.add(1, fold_text("alpha"));
    finder.add(2, fold_text("a much longer string than the others"));
    finder.add(3, fold_text("beta"));
    for (const char c : std::string("xx ALPHA alpha beta xx")) finder.update(std::string_view(&c, 1));
    finder.finish();
    CHECK(finder.found() == std::vector<std::uint32_t>{1, 3});
    CHECK_FALSE(finder.done());
}

TEST_CASE("long runs without an ASCII character are found across pieces", "[imap][search]") {
    std::string text;
    for (int i = 0; i < 400; ++i) text += "\u043a";
    text += "\u043e\u0442";
    for (std::size_t cut = 0; cut <= text.size(); cut += 7) {
        INFO(cut);
        CHECK(found(text, "\u043a\u041e\u0422", cut));
    }
    const std::string broken(1000, '\x80');   // no UTF-8 at all: taken, and nothing grows
    CHECK_FALSE(found(broken + "x", "y", 500));
}

TEST_CASE("HTML is reduced to its text", "[imap][search]") {
    const struct {
        std::string_view html, text;
    } table[] = {
        {"plain", "plain"},
        {"wo<b>rd</b>", "word"},
        {"one<br>two<p class='x > y'>three", "one two three"},
        {"a  \r\n b", "a b"},
        {"x &amp; y &lt;z&gt; &#65;&#x42; &auml; &nbsp;q", "x & y <z> AB \u00e4 q"},
        {"R&D &unknown; &amp", "R&D &unknown;"},
        {"a<!-- no > text -->b", "ab"},
        {"a<script>if (x < 'y') z(\"</b>\")</script>b", "a b"},
        {"a<STYLE>p{}</Style >b", "a b"},
        {"1 < 2 and 3", "1 < 2 and 3"},
        {"&#0;&#xD800;&#9999999999;x", "\ufffd\ufffd\ufffdx"},   // HTML, 13.2.5.80
    };
    for (const auto& row : table)
        for (std::size_t cut = 0; cut <= row.html.size(); ++cut) {
            INFO(row.html << " at " << cut);
            CHECK(reduced(row.html, cut) == row.text);
        }
}
