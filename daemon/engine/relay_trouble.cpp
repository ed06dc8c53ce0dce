#include "daemon/engine/relay_trouble.hpp"

#include "daemon/engine/delivery_words.hpp"
#include "daemon/engine/mime_writer.hpp"

#include <utility>

namespace pp::engine {

relay_lesson learn(own_relay known, const relay_tries& tries, storage::unix_ms now) {
    relay_lesson out{std::move(known), relay_trouble::none};
    auto& r = out.after;
    if (tries.works) {
        r.away_since = 0;
        r.away_told = r.refusal_told = false;
    } else if (tries.refused >= relay_refusals_told) {
        r.away_since = 0;                        // it can be reached
        if (!std::exchange(r.refusal_told, true)) out.tell = relay_trouble::refuses;
    } else if (tries.away >= relay_failures_noted) {
        // From before a restart, unless the clock was wrong then.
        if (r.away_since == 0 || r.away_since > now) r.away_since = tries.away_since;
        if (now - r.away_since >= relay_away_told_ms && !std::exchange(r.away_told, true))
            out.tell = relay_trouble::away;
    }
    return out;
}

notice relay_notice(const own_relay& r, relay_trouble what, const std::string& why, std::string_view of) {
    const auto label = crypto::account_label(r.relay);
    const auto account = of.empty() ? std::string() : " --account " + std::string(of);
    const bool refuses = what == relay_trouble::refuses;
    notice n;
    n.subject = refuses ? "A relay takes no mail for you any more" : "A relay of yours has not been reached for a day";
    n.text = "Mail for you waits at relays while this computer is off. At this one it\ncannot wait at the moment:\n\n" +
             label + "\n";
    for (const auto& endpoint : r.endpoints) n.text += "    " + clean_text(endpoint) + "\n";
    n.text += "    used since " + moment(r.since) + "\n\n";
    if (refuses)
        n.text += "It can be reached, but does not serve you: " + clean_text(why) +
                  ".\n\nAsk its owner. Where you get a new link, use it:\n\npeerpost relay use" + account + " LINK\n\n";
    else
        n.text += "It could not be reached since " + moment(r.away_since) + ". The last try said: " +
                  clean_text(why) + ".\n\nIf this computer had no network in that time, you need do nothing. Else\n"
                  "ask the relay's owner. If it has moved, a new link from there helps:\n\npeerpost relay use" +
                  account + " LINK\n\n";
    n.text += "Whether it works again:\n\npeerpost relay list" + account +
              "\n\nTo use it no more:\n\npeerpost relay drop" + account + " " + label +
              "\n\nIt is tried again and again by itself. Until it works, mail for you waits\n"
              "at your other relays, if you have any, or with those who wrote it.\n";
    return n;
}

}  // namespace pp::engine
