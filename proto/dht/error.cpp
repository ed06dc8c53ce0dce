#include "proto/dht/error.hpp"

#include "crypto/error_category.hpp"

namespace pp::dht {

namespace {
const char* sentence(errc e) {
    switch (e) {
    case errc::bad_bencode: return "the datagram is not well-formed";
    case errc::bad_message: return "the datagram is no message of this network";
    case errc::bad_address: return "this is no address and port";
    case errc::bad_item: return "the value or its salt is larger than the network takes";
    case errc::bad_signature: return "a signature does not fit";
    case errc::expired: return "the record is out of date";
    case errc::bad_record: return "the record makes no sense";
    case errc::not_for_us: return "the record is not of this account and day";
    case errc::too_large: return "the record is too large";
    case errc::too_many: return "too many searches at the same time";
    case errc::bad_saved_table: return "the saved list of nodes is damaged";
    }
    return nullptr;
}
}  // namespace

error_code make_error_code(errc e) {
    static const error_category<errc> category("dht", sentence);
    return category.code(e);
}

}  // namespace pp::dht
