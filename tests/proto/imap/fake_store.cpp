#include "tests/proto/imap/fake_store.hpp"

#include <algorithm>

namespace pp::imap::test {

fake_mail* fake_mailbox::find(std::uint32_t uid) {
    const auto at = std::find_if(mails.begin(), mails.end(), [uid](const auto& m) { return m.uid == uid; });
    return at == mails.end() ? nullptr : &*at;
}

fake_mail& fake_mailbox::add(std::string content, mail::flags flags) {
    fake_mail one;
    one.uid = uid_next++;
    one.modseq = ++modseq;
    one.flags = std::move(flags);
    one.content = std::move(content);
    mails.push_back(std::move(one));
    return mails.back();
}

void fake_mailbox::expunge(std::uint32_t uid) {
    if (std::erase_if(mails, [uid](const auto& m) { return m.uid == uid; }) > 0) vanished.emplace_back(uid, ++modseq);
}

fake_mailbox& fake_store::create(const std::string& name, special_use use) {
    for (auto slash = name.find('/'); slash != name.npos; slash = name.find('/', slash + 1)) {
        const auto parent = name.substr(0, slash);
        if (!mailboxes.contains(parent)) create(parent);
    }
    auto& box = mailboxes[name];
    box.id = next_id++;
    box.uid_validity = static_cast<std::uint32_t>(1000 + box.id);
    box.use = use;
    box.exists = true;
    return box;
}

void fake_store::rename(const std::string& from, const std::string& to) {
    std::map<std::string, fake_mailbox> moved;
    for (auto at = mailboxes.begin(); at != mailboxes.end();)
        if (at->first == from || at->first.starts_with(from + '/')) {
            moved[to + at->first.substr(from.size())] = std::move(at->second);
            at = mailboxes.erase(at);
        } else {
            ++at;
        }
    mailboxes.merge(moved);
}

fake_store usual_store() {
    fake_store store;
    auto& inbox = store.create("INBOX");
    inbox.uid_next = 101;
    mail::flags seen, answered;
    seen.system = mail::seen;
    answered.system = mail::answered;
    answered.add("$label1");
    inbox.add("Subject: one\r\n\r\nfirst\r\n", seen);
    inbox.add("Subject: two\r\n\r\nsecond mail\r\n", answered);
    inbox.uid_next = 105;
    inbox.first_recent = 105;
    inbox.add("Subject: three\r\n\r\nthe third\r\n");
    store.create("Archive/2026");
    store.mailboxes["Archive"].subscribed = false;
    store.create("Drafts", special_use::drafts);
    store.create("Sent", special_use::sent);
    store.create("Trash", special_use::trash).subscribed = false;
    auto& gone = store.mailboxes["Gone"];
    gone.exists = false;
    return store;
}

}  // namespace pp::imap::test
