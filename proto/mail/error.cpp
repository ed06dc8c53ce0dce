// The category that gives the errors of the mail box their sentences.
#include "proto/mail/error.hpp"

#include <string>

namespace pp::mail {
namespace {

// Boost's category has a destructor that is not virtual, on purpose: nobody deletes one. g++ warns all the same.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class mail_category final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "mail"; }
    std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
            case errc::empty_local_part: return "the address has nothing before its @";
            case errc::bad_local_part: return "the part of the address before its @ is not well formed";
            case errc::bad_domain: return "the domain of the address is not well formed";
            case errc::bad_date: return "the date is not well formed";
            case errc::bad_uid_set: return "the set of message numbers is not well formed";
            case errc::bad_encoding: return "the text is not well encoded";
            case errc::unknown_charset: return "the charset is not known";
            case errc::bad_index: return "the message index is damaged or of a newer version";
            case errc::header_too_large: return "the message header is too large";
        }
        return "unknown mail error";
    }
};
#pragma GCC diagnostic pop

}  // namespace

error_code make_error_code(errc e) {
    static const mail_category category;
    return {static_cast<int>(e), category};
}

}  // namespace pp::mail
