#include "proto/mail/charset.hpp"
#include "proto/mail/preview.hpp"

#include <catch2/catch.hpp>

using namespace pp::mail;

TEST_CASE("previews of plain text", "[preview]") {   // RFC 8970 section 3.2
    CHECK(preview_text("", false).empty());
    CHECK(preview_text(" \r\n\t ", false).empty());
    CHECK(preview_text("  Hello,\r\n\r\nhow   are\tyou? \r\n", false) == "Hello, how are you?");
    CHECK(preview_text("a <b> &amp;", false) == "a <b> &amp;");
    CHECK(preview_text("\xef\xbb\xbfgr\xc3\xbc\xc3\x9f\xc2\xa0" "dich", false) == "gr\xc3\xbc\xc3\x9f dich");
    const std::string many(1000, 'x');
    CHECK(preview_text(many, false) == std::string(preview_characters_max, 'x'));
    std::string umlauts;
    for (int i = 0; i < 1000; ++i) umlauts += "\xc3\xbc";
    CHECK(preview_text(umlauts, false).size() == 2 * preview_characters_max);
    CHECK(preview_text(std::string(preview_characters_max - 1, 'x') + " yyy", false) ==
          std::string(preview_characters_max - 1, 'x'));
}

TEST_CASE("previews of HTML", "[preview]") {
    CHECK(preview_text(
              "<html><head><title>no</title><STYLE>p{}</STYLE></head><body><p>One<br>two</p><!-- no --> three</body>",
              true) == "One two three");
    CHECK(preview_text("a &amp; b &lt;c&gt; &#8364;&#x20AC; &nope; &#0; &#xD800;", true) ==
          "a & b <c> \xe2\x82\xac\xe2\x82\xac &nope; \xef\xbf\xbd \xef\xbf\xbd");
    CHECK(preview_text("<script>never ends", true).empty());
    CHECK(preview_text("<p", true).empty());
    CHECK(preview_text("x<!-- never ends", true) == "x");
    CHECK(preview_text("&", true) == "&");
    CHECK(preview_text("&;&#;&#x;&#99999999;", true) == "&;&#;&#x;&#99999999;");
}

TEST_CASE("any bytes give valid UTF-8 or nothing", "[preview]") {
    for (int c = 0; c < 256; ++c)
        for (const bool html : {false, true}) {
            std::string text = "a";
            text += static_cast<char>(c);
            CHECK(is_valid_utf8(preview_text(text, html)));
        }
}

TEST_CASE("which part a preview is made of", "[preview]") {
    const auto part_of = [](std::string_view text) -> std::string {
        const auto index = index_message(text);
        const auto* part = preview_part(index);
        return part ? std::string(text.substr(part->body_offset, part->body_bytes)) : "none";
    };
    CHECK(part_of("Subject: x\r\n\r\nbody") == "body");
    CHECK(part_of("Content-Type: image/png\r\n\r\nbody") == "none");
    CHECK(part_of("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>h\r\n"
                  "--b\r\nContent-Type: text/plain\r\n\r\nplain\r\n--b--\r\n") == "plain");
    CHECK(part_of(
              "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n"
              "Content-Disposition: attachment\r\n\r\nno\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>h\r\n--b--\r\n") ==
          "<p>h");
    CHECK(part_of("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
                  "Subject: inner\r\n\r\nno\r\n--b--\r\n") == "none");
}
