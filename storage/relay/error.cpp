#include "storage/relay/error.hpp"

#include "crypto/error_category.hpp"

namespace pp::storage::relay {

namespace {
const char* sentence(errc e) {
    switch (e) {
    case errc::no_slot: return "there is no such slot";
    case errc::token_spent: return "this delivery token has paid for something else already";
    case errc::slot_full: return "the slot holds as much as it may";
    case errc::relay_full: return "the relay holds as much as it may";
    case errc::too_large: return "it is larger than the relay takes";
    case errc::not_found: return "it has gone or was never here";
    case errc::bad_proof: return "the proof does not fit";
    case errc::wrong_offset: return "the piece does not follow what is here";
    case errc::no_invite: return "the invite is unknown, used or out of date";
    }
    return nullptr;
}
}  // namespace

error_code make_error_code(errc e) {
    static const error_category<errc> category("relay store", sentence);
    return category.code(e);
}

}  // namespace pp::storage::relay
