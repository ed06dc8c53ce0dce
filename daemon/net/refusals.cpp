#include "daemon/net/refusals.hpp"

#include "daemon/engine/error_text.hpp"

namespace pp::net {

imap::refusal imap_refusal(error_code why) {
    const auto text = engine::text_of(why);
    return {std::string(text.imap_code), std::string(text.sentence)};
}

smtp::reply smtp_refusal(error_code why) { return engine::reply_of(why); }

}  // namespace pp::net
