#include "proto/relay/error.hpp"

#include <string>

namespace pp::relay {
namespace {

// Boost's category has a destructor that is not virtual, on purpose: nobody deletes one. g++ warns all the same.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class category final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "relay"; }
    std::string message(int code) const override {
        switch (static_cast<errc>(code)) {
        case errc::bad_message: return "the message has lengths, counts or values that make no sense";
        case errc::too_large: return "the message is larger than the relay's protocol allows";
        case errc::unknown_version: return "the relay speaks a version this program does not know";
        case errc::bad_link: return "this is no link of a relay, or it was damaged in copying";
        case errc::bad_signature: return "a signature does not fit";
        case errc::lost: return "the relay's answer does not fit what it was asked";
        }
        return "unknown error";
    }
};
#pragma GCC diagnostic pop

}  // namespace

error_code make_error_code(errc e) {
    static const category instance;
    return {static_cast<int>(e), instance};
}

}  // namespace pp::relay
