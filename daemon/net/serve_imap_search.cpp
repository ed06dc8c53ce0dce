// SEARCH and the full-text index: which mails of the selected mailbox are worth reading?
#include "daemon/engine/mail_text.hpp"
#include "daemon/net/await.hpp"
#include "daemon/net/refusals.hpp"
#include "daemon/net/serve_imap.hpp"

namespace pp::net {

awaitable<imap::verdict> imap_connection::on(imap::find_candidates q) {
    std::vector<storage::text_question> questions;
    for (const auto& needle : q.needles) questions.push_back(engine::text_question_of(needle));
    // Milliseconds in a large store: not on the network thread.
    auto ask = [&store = account_->store(), box = box_of(q.mailbox), questions = std::move(questions)] {
        return store.text().find(box, questions);
    };
    auto found = co_await offload(context_.workers, std::move(ask));
    if (!found) {
        imap::outcome<imap::search_candidates> no(imap_refusal(found.error()));
        co_return no;
    }
    imap::search_candidates out{found->before_uid, std::move(found->mails)};
    co_return imap::outcome<imap::search_candidates>(std::move(out));
}

}  // namespace pp::net
