#include "proto/imap/capability.hpp"

#include "proto/imap/connection.hpp"
#include "proto/sasl/mechanism.hpp"

namespace pp::imap {

std::string capability_text(const connection& c) {
    std::string text = "IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE IDLE";
    if (c.at() == phase::not_authenticated) {
        if (c.options.offer_starttls && !c.tls_active) text += " STARTTLS";
        text += c.login_allowed() ? " " + sasl::offered_mechanisms("AUTH=", c.tls_active) : " LOGINDISABLED";
        return text;
    }
    text += " NAMESPACE CHILDREN UNSELECT UIDPLUS MOVE SPECIAL-USE CREATE-SPECIAL-USE LIST-EXTENDED LIST-STATUS"
            " STATUS=SIZE ESEARCH SEARCHRES SORT SORT=DISPLAY THREAD=ORDEREDSUBJECT THREAD=REFERENCES THREAD=REFS ESORT"
            " CONTEXT=SEARCH CONTEXT=SORT PARTIAL WITHIN MULTISEARCH I18NLEVEL=1";
    text += " CONDSTORE QRESYNC UIDONLY NOTIFY INPROGRESS";
    if (c.options.append_bytes_max > 0) text += " APPENDLIMIT=" + std::to_string(c.options.append_bytes_max);
    text += " BINARY MULTIAPPEND REPLACE CATENATE URL-PARTIAL UTF8=ACCEPT OBJECTID PREVIEW SAVEDATE LIST-MYRIGHTS"
            " LIST-METADATA METADATA ACL RIGHTS=tekx QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE";
    if (!c.compressed) text += " COMPRESS=DEFLATE";
    return text;
}

}  // namespace pp::imap
