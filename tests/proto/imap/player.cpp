#include "tests/proto/imap/player.hpp"

#include <chrono>
#include <sstream>

template class pp::test::dialogue_player<pp::imap::test::player>;

namespace pp::imap::test {

player::player(session_options options, fake_store contents)
    : store(std::move(contents)), daemon(store), session(options) {
    pass(std::chrono::seconds(0));
}

std::string player::act(std::string_view kind, const std::string& text) {
    if (kind == "E:") return happen(text);
    if (kind == "G:") return greet(text);
    return "not a line of a dialogue: " + std::string(kind) + " " + text;
}

std::string player::greet(const std::string& how) {
    run();
    if (how != "-") feed("g1 LOGIN ann secret\r\n");
    if (how != "-" && how != "user") feed("g2 SELECT " + how + "\r\n");
    take_output();
    return {};
}

std::string player::happen(const std::string& what) {
    std::istringstream words(what);
    std::string verb, mailbox, rest;
    words >> verb;
    if (verb == "news") session.news();
    else if (verb == "end") session.input_ended();
    else if (verb == "leave") daemon.store_is_leaving = true;
    else if (verb == "annotate") {
        std::string entry;
        words >> mailbox >> entry;
        daemon.metadata_changes.push_back({mailbox == "-" ? "" : mailbox, {entry}});
        session.news();
    } else if (verb == "refuse") words >> daemon.next_refusal;
    else if (verb == "tick") {
        int seconds = 0;
        words >> seconds;
        pass(std::chrono::seconds(seconds));
    } else if (verb == "create") {
        words >> mailbox;
        store.create(mailbox);
    } else if (words >> mailbox; !store.mailboxes.contains(mailbox)) {
        return "no such mailbox: " + what;
    } else if (auto& box = store.mailboxes[mailbox]; verb == "deliver") {
        std::getline(words, rest);
        box.add("Subject:" + rest + "\r\n\r\nbody\r\n");
    } else if (verb == "delete") {
        store.mailboxes.erase(mailbox);
    } else if (verb == "subscribe" || verb == "unsubscribe") {
        box.subscribed = verb == "subscribe";
    } else if (verb == "rename") {
        words >> rest;
        store.rename(mailbox, rest);
    } else {
        std::uint32_t uid = 0;
        words >> uid >> rest;
        auto* mail = box.find(uid);
        if (!mail) return "no such mail: " + what;
        if (verb == "expunge") {
            box.expunge(uid);
        } else if (verb == "flag") {
            if (rest == "\\Seen") mail->flags.system |= mail::seen;
            else if (rest == "\\Deleted") mail->flags.system |= mail::deleted;
            else if (rest == "\\Flagged") mail->flags.system |= mail::flagged;
            else mail->flags.add(rest);
            mail->modseq = ++box.modseq;
        } else {
            return "no such act: " + what;
        }
    }
    run();
    return {};
}

std::string play_everywhere(std::string_view script, const session_options& options) {
    return pp::test::play_everywhere<player>(script, options);
}

}  // namespace pp::imap::test
