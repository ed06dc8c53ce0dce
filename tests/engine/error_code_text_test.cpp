#include "daemon/engine/error_text.hpp"

#include <boost/system/errc.hpp>

#include <catch2/catch.hpp>

using namespace pp;

TEST_CASE("a full disk is no bug, whoever reports it") {
    for (const error_code& e : {storage::make_error_code(storage::errc::full),
                                make_error_code(boost::system::errc::no_space_on_device)}) {
        CHECK(engine::reply_of(e).code == 452);
        CHECK(engine::reply_of(e).enhanced == "4.3.1");
        CHECK(engine::text_of(e).imap_code == "OVERQUOTA");
    }
    CHECK(engine::reply_of(crypto::make_error_code(crypto::errc::bad_length)).code == 451);
    CHECK(engine::reply_of(storage::make_error_code(storage::errc::too_large)).code == 552);
}
