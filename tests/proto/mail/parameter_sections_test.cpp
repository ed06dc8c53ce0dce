// RFC 2231 sections 3, 4.1 and 6.
#include "proto/mail/parameter_sections.hpp"

#include <catch2/catch.hpp>

using namespace pp::mail;

TEST_CASE("the sections of a parameter are joined") {
    CHECK(join_sections({{"URL*0", "ftp://"}, {"URL*1", "cs.utk.edu/"}}) == parameter_list{{"URL",
                                                                                            "ftp://cs.utk.edu/"}});
    CHECK(join_sections({{"title*0*", "us-ascii'en'This%20is"}, {"title*1*", "%2A"}, {"title*2", " 100% fun"}}) ==
          parameter_list{{"title*", "us-ascii'en'This%20is%2A 100%25 fun"}});
    CHECK(join_sections({{"a*0", "x%"}, {"a*1*", "%20y"}}) == parameter_list{{"a*", "''x%25%20y"}});
    CHECK(join_sections({{"a*1", "2"}, {"b", "c"}, {"A*0", "1"}}) == parameter_list{{"a", "12"}, {"b", "c"}});
    CHECK(join_sections({{"a*0", "1"}, {"b", "c"}, {"a*1", "2"}}) == parameter_list{{"a", "12"}, {"b", "c"}});
}

TEST_CASE("what is no section of a parameter stays as it was sent") {
    const parameter_list sent = {{"a*", "utf-8''x"}, {"b*1", "no first one"}, {"c*01", "zero"}, {"*0", "no name"},
                                 {"d*16", "too many"}, {"e*x", "no number"}};
    CHECK(join_sections(sent) == sent);
    CHECK(join_sections({{"a*0", "1"}, {"a*2", "3"}}) == parameter_list{{"a", "1"}, {"a*2", "3"}});
    CHECK(join_sections({{"a*0", "1"}, {"a*0", "2"}}) == parameter_list{{"a", "1"}, {"a", "2"}});
    CHECK(has_sections("name*0*"));
    CHECK_FALSE(has_sections("name*"));
    CHECK_FALSE(has_sections("charset"));
}
