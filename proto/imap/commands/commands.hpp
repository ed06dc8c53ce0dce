// Every command of the server, one line each; the table that binds them to names is in commands.cpp.
#pragma once

#include "proto/imap/commands/command.hpp"

namespace pp::imap {

// any state
wire::task<reply> run_capability(connection& c, command& cmd);
wire::task<reply> run_noop(connection& c, command& cmd);
wire::task<reply> run_logout(connection& c, command& cmd);
wire::task<reply> run_id(connection& c, command& cmd);
// not authenticated
wire::task<reply> run_starttls(connection& c, command& cmd);
wire::task<reply> run_login(connection& c, command& cmd);
wire::task<reply> run_authenticate(connection& c, command& cmd);
// authenticated
wire::task<reply> run_enable(connection& c, command& cmd);
wire::task<reply> run_namespace(connection& c, command& cmd);
wire::task<reply> run_notify(connection& c, command& cmd);
wire::task<reply> run_list(connection& c, command& cmd);
wire::task<reply> run_lsub(connection& c, command& cmd);
wire::task<reply> run_status(connection& c, command& cmd);
wire::task<reply> run_create(connection& c, command& cmd);
wire::task<reply> run_delete(connection& c, command& cmd);
wire::task<reply> run_rename(connection& c, command& cmd);
wire::task<reply> run_subscribe(connection& c, command& cmd);
wire::task<reply> run_unsubscribe(connection& c, command& cmd);
wire::task<reply> run_select(connection& c, command& cmd);
wire::task<reply> run_examine(connection& c, command& cmd);
wire::task<reply> run_append(connection& c, command& cmd);
wire::task<reply> run_idle(connection& c, command& cmd);
wire::task<reply> run_getquota(connection& c, command& cmd);
wire::task<reply> run_getquotaroot(connection& c, command& cmd);
wire::task<reply> run_setquota(connection& c, command& cmd);
wire::task<reply> run_getmetadata(connection& c, command& cmd);
wire::task<reply> run_setmetadata(connection& c, command& cmd);
wire::task<reply> run_myrights(connection& c, command& cmd);
wire::task<reply> run_listrights(connection& c, command& cmd);
wire::task<reply> run_getacl(connection& c, command& cmd);
wire::task<reply> run_setacl(connection& c, command& cmd);
wire::task<reply> run_deleteacl(connection& c, command& cmd);
wire::task<reply> run_compress(connection& c, command& cmd);
// selected
wire::task<reply> run_check(connection& c, command& cmd);
wire::task<reply> run_close(connection& c, command& cmd);
wire::task<reply> run_unselect(connection& c, command& cmd);
wire::task<reply> run_expunge(connection& c, command& cmd);
wire::task<reply> run_replace(connection& c, command& cmd);
wire::task<reply> run_store(connection& c, command& cmd);
wire::task<reply> run_copy(connection& c, command& cmd);
wire::task<reply> run_move(connection& c, command& cmd);
wire::task<reply> run_fetch(connection& c, command& cmd);
wire::task<reply> run_search(connection& c, command& cmd);
wire::task<reply> run_esearch(connection& c, command& cmd);
wire::task<reply> run_sort(connection& c, command& cmd);
wire::task<reply> run_thread(connection& c, command& cmd);
wire::task<reply> run_cancelupdate(connection& c, command& cmd);

// The client learns what the name it wrote has become: RFC 9051 sections 6.3.4 to 6.3.6 and 6.3.12. written: the name
// as it came where that is another, else empty. IMAP4rev1 has no OLDNAME.
void tell_normal_form(connection& c, std::string_view name, std::string_view written, std::string_view attribute);

}  // namespace pp::imap
