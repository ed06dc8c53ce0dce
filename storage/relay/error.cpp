#include "storage/relay/error.hpp"

namespace pp::storage::relay {
namespace {

// Boost's category has a destructor that is not virtual, on purpose: nobody deletes one. g++ warns all the same.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class category final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "relay store"; }
    std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
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
        return "unknown error of the relay's store";
    }
};
#pragma GCC diagnostic pop

}  // namespace

error_code make_error_code(errc e) {
    static const category instance;
    return {static_cast<int>(e), instance};
}

}  // namespace pp::storage::relay
