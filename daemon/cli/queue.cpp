// `peerpost queue`, `queue why`, `trace`: what is under way, why it waits, and where one mail has been.
#include "daemon/cli/context.hpp"

#include <CLI/CLI.hpp>

#include <iostream>

namespace pp::cli {

namespace {

// Enough of an ID for `queue why`, which takes the first characters of one.
std::string shown_id(const json::object& row) {
    constexpr std::size_t digits = 8;
    return text(row, "id").substr(0, digits);
}

std::string_view meaning(std::string_view state) {
    return in_words(state,
                    {{"queued", "waits on this computer"},
                     {"seeded", "waits at a relay"},
                     {"notified", "being fetched"},
                     {"delivered", "arrived, receipt signed"}},
                    "not delivered, not tried again");
}

void show_row(const json::object& row) {
    std::cout << shown_id(row) << "  " << text(row, "state") << " (" << meaning(text(row, "state")) << ") since "
              << text(row, "since") << "\n  to " << plain(text(row, "recipient")) << "\n  submitted "
              << text(row, "submitted") << "\n";
    if (const auto id = text(row, "message_id"); !id.empty()) std::cout << "  message " << plain(id) << "\n";
}

void show_queue(const json::object& q) {
    const auto& rows = list(q, "queue");
    if (rows.empty()) std::cout << "nothing is under way; what is over: peerpost queue --all\n";
    for (const auto& item : rows) {
        if (!item.is_object()) continue;
        const auto& row = item.as_object();
        show_row(row);
        // elsewhere the attempts are over, or about the receipt only
        const bool waits_here = text(row, "state") == "queued";
        if (const auto n = number(row, "attempts"); n > 0 && waits_here)
            std::cout << "  " << n << (n == 1 ? " attempt\n" : " attempts\n");
        const auto held = text(row, "held_until");
        if (!held.empty()) std::cout << "  held until " << held << ", as the sender asked\n";
        if (const auto at = text(row, "next_attempt"); !at.empty() && held.empty() && waits_here)
            std::cout << "  next attempt " << at << "\n";
        if (const auto why = text(row, "last_error"); !why.empty() && text(row, "state") != "delivered")
            std::cout << "  last error: " << plain(why) << "\n";
    }
    if (!rows.empty() && rows.front().is_object())
        std::cout << "\nWhat one of them waits for, and what can be done: peerpost queue why "
                  << shown_id(rows.front().as_object()) << "\n";
}

void show_why(const json::object& row) {
    show_row(row);
    for (const auto& sentence : list(row, "why"))
        if (sentence.is_string()) std::cout << plain(std::string(sentence.as_string())) << "\n";
}

void show_trace(const json::object& t) {
    for (const auto& item : list(t, "hops"))
        if (item.is_object())
            std::cout << text(item.as_object(), "at") << "  " << plain(text(item.as_object(), "what")) << "\n";
}

}  // namespace

void add_queue(CLI::App& app, context& c) {
    struct options {
        bool as_json = false, all = false;
        std::string account, id;
    };
    const auto o = std::make_shared<options>();
    auto* queue = app.add_subcommand("queue", "Mails under way, one row per recipient");
    queue->add_flag("--json", o->as_json, "Print JSON");
    queue->add_flag("--all", o->all, "Delivered and failed ones too");
    queue->add_option("--account", o->account, "Only this account (label or address)");
    queue->require_subcommand(0, 1);
    auto* why = queue->add_subcommand("why", "Why this mail waits, and what happens next");
    why->add_option("id", o->id, "The ID, or its first characters")->required();
    why->add_flag("--json", o->as_json, "Print JSON");
    queue->callback([&c, o, why] {
        if (why->parsed())
            run(c, "queue why", {{"id", o->id}}, o->as_json, show_why);
        else
            run(c, "queue", {{"account", o->account}, {"all", o->all}}, o->as_json, show_queue);
    });

    auto* trace = app.add_subcommand("trace", "Each hop of one mail");
    trace->add_option("message-id", o->id, "Its Message-ID")->required();
    trace->add_flag("--json", o->as_json, "Print JSON");
    trace->callback([&c, o] { run(c, "trace", {{"message_id", o->id}}, o->as_json, show_trace); });
}

}  // namespace pp::cli
