#include "proto/peer/error.hpp"

#include "crypto/error_category.hpp"

namespace pp::peer {

namespace {
const char* sentence(errc e) {
    switch (e) {
    case errc::bad_message: return "the message has lengths, counts or values that make no sense";
    case errc::too_large: return "the message is larger than its protocol allows";
    case errc::bad_signature: return "a signature does not fit";
    case errc::expired: return "the certificate or message is out of date";
    case errc::not_for_us: return "the message is not meant for this account";
    case errc::bad_proof: return "the bytes are not those that were named";
    case errc::wrong_peer: return "another account or device answered than the one expected";
    case errc::unknown_version: return "the other side speaks a version this program does not know";
    case errc::bad_link: return "this is no invite link, or it was damaged in copying";
    case errc::bad_frame: return "a frame that the protocol does not allow";
    case errc::too_many_streams: return "more streams are open than the protocol allows";
    case errc::credit_exceeded: return "more bytes came than credit was given for";
    case errc::unknown_protocol: return "the other side does not know this protocol";
    case errc::timed_out: return "the other side did not answer in time";
    case errc::link_lost: return "the link ended before the answer came";
    case errc::withdrawn: return "the sender has given the mail up";
    case errc::forged_author: return "the mail does not say in its From field that its sender has written it";
    }
    return nullptr;
}
}  // namespace

error_code make_error_code(errc e) {
    static const error_category<errc> category("peer", sentence);
    return category.code(e);
}

}  // namespace pp::peer
