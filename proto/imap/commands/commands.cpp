#include "proto/imap/commands/commands.hpp"

#include "proto/imap/grammar/response.hpp"

#include <algorithm>
#include <iterator>

namespace pp::imap {

namespace {
constexpr unsigned fresh = in_not_authenticated, inside = in_any_mailbox_state, always = in_every_state;
constexpr auto nothing_told = telling::nothing, no_expunge = telling::no_expunge, all = telling::everything;

// Commands that leave or change the selected mailbox tell nothing; RFC 9051 section 7.5.1 names those without EXPUNGE.
constexpr command_entry entries[] = {
    {"APPEND", inside, false, all, run_append},
    {"AUTHENTICATE", fresh, false, nothing_told, run_authenticate},
    {"CANCELUPDATE", in_selected, false, all, run_cancelupdate},
    {"CAPABILITY", always, false, all, run_capability},
    {"CHECK", in_selected, false, all, run_check},
    {"CLOSE", in_selected, false, nothing_told, run_close},
    {"COMPRESS", inside, false, nothing_told, run_compress},
    {"COPY", in_selected, true, all, run_copy},
    {"CREATE", inside, false, all, run_create},
    {"DELETE", inside, false, all, run_delete},
    {"DELETEACL", inside, false, all, run_deleteacl},
    {"ENABLE", inside, false, all, run_enable},
    {"ESEARCH", inside, true, no_expunge, run_esearch},
    {"EXAMINE", inside, false, nothing_told, run_examine},
    {"EXPUNGE", in_selected, true, all, run_expunge},
    {"FETCH", in_selected, true, no_expunge, run_fetch},
    {"GETACL", inside, false, all, run_getacl},
    {"GETMETADATA", inside, false, all, run_getmetadata},
    {"GETQUOTA", inside, false, all, run_getquota},
    {"GETQUOTAROOT", inside, false, all, run_getquotaroot},
    {"ID", always, false, all, run_id},
    {"IDLE", inside, false, nothing_told, run_idle},
    {"LIST", inside, false, all, run_list},
    {"LISTRIGHTS", inside, false, all, run_listrights},
    {"LOGIN", fresh, false, nothing_told, run_login},
    {"LOGOUT", always, false, nothing_told, run_logout},
    {"LSUB", inside, false, all, run_lsub},
    {"MOVE", in_selected, true, all, run_move},
    {"MYRIGHTS", inside, false, all, run_myrights},
    {"NAMESPACE", inside, false, all, run_namespace},
    {"NOOP", always, false, all, run_noop},
    {"NOTIFY", inside, false, nothing_told, run_notify},
    {"RENAME", inside, false, all, run_rename},
    {"REPLACE", in_selected, true, all, run_replace},
    {"SEARCH", in_selected, true, no_expunge, run_search},
    {"SELECT", inside, false, nothing_told, run_select},
    {"SETACL", inside, false, all, run_setacl},
    {"SETMETADATA", inside, false, all, run_setmetadata},
    {"SETQUOTA", inside, false, all, run_setquota},
    {"SORT", in_selected, true, no_expunge, run_sort},
    {"STARTTLS", fresh, false, nothing_told, run_starttls},
    {"STATUS", inside, false, all, run_status},
    {"STORE", in_selected, true, no_expunge, run_store},
    {"SUBSCRIBE", inside, false, all, run_subscribe},
    {"THREAD", in_selected, true, no_expunge, run_thread},
    {"UNSELECT", in_selected, false, nothing_told, run_unselect},
    {"UNSUBSCRIBE", inside, false, all, run_unsubscribe},
};
}  // namespace

const command_entry* find_command(std::string_view name) {
    const auto at =
        std::find_if(std::begin(entries), std::end(entries), [name](const auto& e) { return e.name == name; });
    return at == std::end(entries) ? nullptr : &*at;
}

}  // namespace pp::imap
