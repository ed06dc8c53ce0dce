// Bare addresses (RFC 5321 section 4.1.2) and header address lists (RFC 5322 sections 3.4, 4.4, appendix A).
#include "proto/mail/address.hpp"

#include <catch2/catch.hpp>

using namespace pp::mail;

namespace {

std::string reread(std::string_view text, bool allow_utf8 = true) {
    const auto parsed = parse_address(text, allow_utf8);
    return parsed ? parsed->text() : parsed.error().message();
}

// name|route|mailbox|host per address, "-" for what is absent.
std::string list(std::string_view text) {
    std::string out;
    const auto show = [](const std::optional<std::string>& s) { return s ? *s : std::string("-"); };
    for (const auto& a : parse_address_list(text))
        out += "[" + show(a.name) + "|" + show(a.route) + "|" + show(a.mailbox) + "|" + show(a.host) + "]";
    return out;
}

const std::string empty_local = error_code(errc::empty_local_part).message();
const std::string bad_local = error_code(errc::bad_local_part).message();
const std::string bad_domain = error_code(errc::bad_domain).message();

}  // namespace

TEST_CASE("bare addresses") {
    CHECK(reread("alice@example.org") == "alice@example.org");
    CHECK(reread("Alice.B+tag@EXAMPLE.Org") == "Alice.B+tag@example.org");
    CHECK(reread("\"alice\"@example.org") == "alice@example.org");
    CHECK(reread("\"a b\"@example.org") == "\"a b\"@example.org");
    CHECK(reread("\"a\\\"@\\\\b\"@example.org") == "\"a\\\"@\\\\b\"@example.org");
    CHECK(reread("a@[192.0.2.1]") == "a@[192.0.2.1]");
    CHECK(reread("a@[IPv6:2001:db8::1]") == "a@[ipv6:2001:db8::1]");
    CHECK(reread("j\xc3\xbcrgen@m\xc3\xbcller.example") == "j\xc3\xbcrgen@m\xc3\xbcller.example");
    CHECK(reread(std::string(64, 'a') + "@b") == std::string(64, 'a') + "@b");
    CHECK(reread("x@" + std::string(56, 'a') + ".peerpost.alt") == "x@" + std::string(56, 'a') + ".peerpost.alt");

    CHECK(reread("") == empty_local);
    CHECK(reread("@b") == empty_local);
    CHECK(reread("\"\"@b") == empty_local);
    for (const auto* bad : {".a@b", "a.@b", "a..b@c", "a b@c", "a\"b@c", "\"a@b", "\"a\\\"@b", "\"a\"x@b", "a\x01@b",
                            "\"a\r\n\"@b", "a\xff@b", "a\xc3@b"})
        CHECK(reread(bad) == bad_local);
    CHECK(reread(std::string(65, 'a') + "@b") == bad_local);
    for (const auto* bad : {"a", "a@", "a@b@c", "a@.b", "a@b.", "a@b..c", "a@-b", "a@b-", "a@b c", "a@[", "a@[]",
                            "a@[a b]", "a@b_c", "a@b\xff", "a@b>"})
        CHECK(reread(bad) == bad_domain);
    CHECK(reread("a@" + std::string(64, 'b')) == bad_domain);
    std::string longest = "a@";
    while (longest.size() < 2 + 254) longest += "b.";
    CHECK(reread(longest + "c") == longest + "c");
    CHECK(reread(longest + "cc") == bad_domain);
    CHECK(reread("j\xc3\xbcrgen@b", false) == bad_local);
    CHECK(reread("a@m\xc3\xbcller", false) == bad_domain);
}

TEST_CASE("address lists of RFC 5322 appendix A") {
    CHECK(list("John Doe <jdoe@machine.example>") == "[John Doe|-|jdoe|machine.example]");
    CHECK(list("\"Joe Q. Public\" <john.q.public@example.com>") == "[Joe Q. Public|-|john.q.public|example.com]");
    CHECK(list("Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>") ==
          "[Mary Smith|-|mary|x.test][-|-|jdoe|example.org][Who?|-|one|y.test]");
    CHECK(list("<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>") ==
          "[-|-|boss|nil.test][Giant; \"Big\" Box|-|sysservices|example.net]");
    CHECK(list("A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;") ==
          "[-|-|A Group|-][Ed Jones|-|c|a.test][-|-|joe|where.test][John|-|jdoe|one.test][-|-|-|-]");
    CHECK(list("Undisclosed recipients:;") == "[-|-|Undisclosed recipients|-][-|-|-|-]");
    CHECK(list("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>") == "[Pete|-|pete|silly.test]");
    CHECK(list("A Group(Some people)\r\n :Chris Jones <c@(Chris's host.)public.example>,\r\n joe@example.org,\r\n"
               " John <jdoe@one.test> (my dear friend); (the end of the group)") ==
          "[-|-|A Group|-][Chris Jones|-|c|public.example][-|-|joe|example.org][John|-|jdoe|one.test][-|-|-|-]");
    CHECK(list("Joe Q. Public <john.q.public@example.com>") == "[Joe Q. Public|-|john.q.public|example.com]");
    CHECK(list("Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example") ==
          "[Mary Smith|@node.test|mary|example.net][-|-|jdoe|test.example]");
}

TEST_CASE("address lists with odd, obsolete and broken elements") {
    CHECK(list("") == "");
    CHECK(list(" , ,, ;") == "");
    CHECK(list("a@b (Name)") == "[Name|-|a|b]");
    CHECK(list("(Name) a@b") == "[Name|-|a|b]");
    CHECK(list("<@one,@two:a@b>") == "[-|@one,@two|a|b]");
    CHECK(list("=?utf-8?q?J=C3=BC?= <a@b>") == "[=?utf-8?q?J=C3=BC?=|-|a|b]");
    CHECK(list("J\xc3\xbc <a@b>") == "[J\xc3\xbc|-|a|b]");
    CHECK(list("john . doe@b") == "[-|-|john.doe|b]");
    CHECK(list("\"a b\"@c") == "[-|-|a b|c]");
    CHECK(list("a@[1.2.3.4]") == "[-|-|a|[1.2.3.4]]");
    CHECK(list("\"never closed <a@b>") == "[-|-|never closed <a@b>|]");
    CHECK(list("Name <a@b") == "[Name|-|a|b]");
    CHECK(list("Name <a@b, c@d") == "[Name|-|a|b][-|-|c|d]");
    CHECK(list("lonely") == "[-|-|lonely|]");
    CHECK(list("<lonely>") == "[-|-|lonely|]");
    CHECK(list("<>") == "");
    CHECK(list("Name <>") == "[Name|-||]");
    CHECK(list("a@b c@d") == "[-|-|a|d]");
    CHECK(list("a@b > c") == "[-|-|a|b]");
    CHECK(list("Group: a@b") == "[-|-|Group|-][-|-|a|b][-|-|-|-]");
    CHECK(list("A: B: a@b;") == "[-|-|A|-][-|-|a|b][-|-|-|-]");
    CHECK(list("(((unclosed") == "");
    CHECK(list("@b") == "");
    CHECK(list("a@") == "[-|-|a|]");
}

TEST_CASE("a header's list of addresses ends at its limit") {
    std::string many;
    for (std::size_t i = 0; i < header_addresses_max + 10; ++i) many += "a@b,";
    CHECK(parse_address_list(many).size() == header_addresses_max);
    CHECK(parse_address_list(std::string(1000000, '(')).empty());
    CHECK(parse_address_list(std::string(1000000, '<')).empty());
}
