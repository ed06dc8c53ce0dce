// A small mail store in memory, as the sessions under test see it; changed by hand where a test plays another session.
#pragma once

#include "proto/imap/events.hpp"
#include "proto/mail/message_index.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace pp::imap::test {

struct fake_mail {
    std::uint32_t uid = 0;
    std::uint64_t modseq = 1;
    mail::flags flags;
    mail::date_time internal_date{837596665, -420};   // 17-Jul-1996 02:44:25 -0700
    std::string content;
};

struct fake_mailbox {
    std::uint64_t id = 0;
    std::uint32_t uid_validity = 1, uid_next = 1, first_recent = 1;
    std::uint64_t modseq = 1;
    special_use use = special_use::none;
    bool subscribed = true, exists = true;
    std::vector<fake_mail> mails;
    std::vector<std::pair<std::uint32_t, std::uint64_t>> vanished;   // UID, modseq
    std::map<std::string, std::string> metadata;

    fake_mail* find(std::uint32_t uid);
    fake_mail& add(std::string content, mail::flags flags = {});
    void expunge(std::uint32_t uid);
};

struct fake_store {
    std::map<std::string, fake_mailbox> mailboxes;
    std::string user = "ann", password = "secret";
    std::uint64_t next_id = 1;
    std::map<std::string, std::string> metadata;   // of the account
    std::size_t metadata_max = 3;                  // entries of one mailbox
    // For read_rows with_index: the tests of FETCH and SEARCH put the real indexer here.
    std::function<std::shared_ptr<const mail::message_index>(const std::string&)> indexer;
    std::function<search_candidates(const find_candidates&)> text_index;   // none: every mail may match

    fake_mailbox& create(const std::string& name, special_use use = special_use::none);
    void rename(const std::string& from, const std::string& to);   // with children
};

// INBOX with UIDs 101 (\Seen), 102 (\Answered $label1), 105 (recent); Archive/2026, Drafts, Sent, Trash; Gone is only
// subscribed.
fake_store usual_store();

}  // namespace pp::imap::test
