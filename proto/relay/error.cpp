#include "proto/relay/error.hpp"

#include "crypto/error_category.hpp"

namespace pp::relay {

namespace {
const char* sentence(errc e) {
    switch (e) {
    case errc::bad_message: return "the message has lengths, counts or values that make no sense";
    case errc::too_large: return "the message is larger than the relay's protocol allows";
    case errc::unknown_version: return "the relay speaks a version this program does not know";
    case errc::bad_link: return "this is no link of a relay, or it was damaged in copying";
    case errc::bad_signature: return "a signature does not fit";
    case errc::lost: return "the relay's answer does not fit what it was asked";
    }
    return nullptr;
}
}  // namespace

error_code make_error_code(errc e) {
    static const error_category<errc> category("relay", sentence);
    return category.code(e);
}

}  // namespace pp::relay
