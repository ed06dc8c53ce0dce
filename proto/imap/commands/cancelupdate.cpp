// CANCELUPDATE (RFC 5267 section 4.3.5): the contexts of these tags are told of no more.
#include "proto/imap/commands/commands.hpp"
#include "proto/imap/connection.hpp"

#include <algorithm>

namespace pp::imap {

wire::task<reply> run_cancelupdate(connection& c, command& cmd) {
    std::vector<std::string> tags;
    do {
        cmd.args.space();
        tags.push_back(cmd.args.quoted_or_literal());
    } while (!cmd.args.failed() && cmd.args.peek() == ' ');
    cmd.args.end();
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    auto& contexts = c.selected->contexts;
    const auto named = [&](const auto& context) {
        return std::find(tags.begin(), tags.end(), context.tag) != tags.end();
    };
    for (const auto& tag : tags)
        if (std::none_of(contexts.begin(), contexts.end(), [&](const auto& one) { return one.tag == tag; }))
            co_return bad("There is no updating search of that tag");
    std::erase_if(contexts, named);
    co_return ok("No further updates");
}

}  // namespace pp::imap
