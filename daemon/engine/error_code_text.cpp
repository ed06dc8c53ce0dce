// From any error code to its row in the table.
#include "daemon/engine/error_text.hpp"

#include <boost/system/errc.hpp>

#include <string>

namespace pp::engine {

error_text text_of(const error_code& e) {
    if (e.category() == storage::make_error_code(storage::errc::full).category())
        return text_of(static_cast<storage::errc>(e.value()));
    if (e == boost::system::errc::no_space_on_device || e == boost::system::errc::file_too_large)
        return text_of(storage::errc::full);
    return {451, "4.3.0", "SERVERBUG", "an error of peerpost's own happened; its log says more"};
}

smtp::reply reply_of(const error_code& e) {
    const auto text = text_of(e);
    return {text.smtp_code, std::string(text.smtp_status), std::string(text.sentence)};
}

}  // namespace pp::engine
