// Plays dialogues against the submission machine without a socket.
//
//   "C: line"   the client sends the line and CRLF; escapes: \r \n \t \0 \\ and \- (a line without CRLF ends in \-)
//   "S: line"   the server sends exactly this line; "S: close" the session is over
//   "E: text"   an event the daemon saw (consecutive body chunks are one event)
//
// C: lines that follow each other go out as one packet. play() replays every dialogue with each packet cut anywhere.
#pragma once

#include "proto/smtp/server_session.hpp"
#include "tests/proto/sasl/scram_desk.hpp"

#include <catch2/catch.hpp>

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace player {

using namespace pp;
using namespace std::chrono_literals;

inline const std::string plain_right = "AUTH PLAIN AGFubmEAc2VjcmV0";   // \0anna\0secret

// The greeting and what every EHLO is answered with; FUTURERELEASE where it is on, AUTH and HELP follow.
inline const std::string hello =
    "S: 220 localhost ESMTP peerpost\nC: EHLO x\nS: 250-localhost\nS: 250-PIPELINING\nS: 250-SIZE\nS: 250-8BITMIME\n"
    "S: 250-SMTPUTF8\nS: 250-ENHANCEDSTATUSCODES\nS: 250-DSN\nS: 250-CHUNKING\nS: 250-BINARYMIME\n"
    "S: 250-LIMITS RCPTMAX=100\n";

// The daemon's side: says yes to all that is not scripted, and writes down what it was asked.
class desk {
public:
    explicit desk(smtp::session_options options) : session(std::move(options)) { session.tick(at); }

    std::map<std::string, std::deque<smtp::reply>> scripted;   // by event: login, mail, rcpt, begin, end

    void feed(std::string_view wire) {
        session.received(as_bytes(wire));
        pump();
    }
    void pump() {
        session.tick(at);
        for (;;) {
            if (auto e = session.next_event()) session.answer(decide(*e));
            else if (session.to_send().empty()) return;
            written += as_text(session.to_send());
            session.sent(session.to_send().size());
        }
    }
    void pass(std::chrono::seconds time) {
        at += time;
        pump();
    }

    smtp::server_session session;
    wire::time_point at{1000s};
    std::string written;
    std::vector<std::string> events;
    std::string body;   // of the mail under way or the last one
    std::size_t largest_chunk = 0;

private:
    void note(std::string text) { events.push_back(std::move(text)); }

    smtp::reply script(const std::string& word, smtp::reply otherwise) {
        auto& queue = scripted[word];
        if (queue.empty()) return otherwise;
        auto r = queue.front();
        queue.pop_front();
        return r;
    }

    smtp::verdict decide(const smtp::event& e) {
        if (auto* x = std::get_if<smtp::login>(&e)) {
            note("login " + x->user + " " + x->password);
            const bool right = x->user == "anna" && x->password == "secret";
            return script("login", right ? smtp::reply{235, "2.7.0", "welcome"}
                                         : smtp::reply{535, "5.7.8", "user name or password is wrong"});
        }
        if (auto* x = std::get_if<smtp::mail_from>(&e)) {
            std::string text = "mail " + (x->from ? x->from->text() : std::string("<>"));
            if (x->size_bytes) text += " size=" + std::to_string(*x->size_bytes);
            if (x->body_8bit) text += " 8bit";
            if (x->body_binary) text += " binary";
            if (x->hold_for_s) text += " for=" + std::to_string(*x->hold_for_s);
            if (x->hold_until) text += " until=" + std::to_string(*x->hold_until);
            if (x->smtputf8) text += " utf8";
            if (x->ret != smtp::dsn_return::unset) text += x->ret == smtp::dsn_return::full ? " full" : " headers";
            if (!x->envid.empty()) text += " envid=" + x->envid;
            note(text);
            return script("mail", {250, "2.1.0", "ok"});
        }
        if (auto* x = std::get_if<smtp::recipient>(&e)) {
            std::string text = "rcpt " + x->to.text();
            if (x->notify.given) text += " notify";
            if (x->notify.never) text += " never";
            if (x->notify.success) text += " success";
            if (x->notify.failure) text += " failure";
            if (x->notify.delay) text += " delay";
            if (!x->orcpt.empty()) text += " orcpt=" + x->orcpt;
            note(text);
            return script("rcpt", {250, "2.1.5", "ok"});
        }
        if (std::holds_alternative<smtp::body_begin>(e)) {
            note("begin");
            body.clear();
            return script("begin", {354, "", "go on"});
        }
        if (auto* x = std::get_if<smtp::body_chunk>(&e)) {
            largest_chunk = std::max(largest_chunk, x->data.size());
            if (x->data.empty()) FAIL("an empty chunk");
            body += as_text(x->data);
            if (events.empty() || events.back() != "body") note("body");
            return smtp::accepted{};
        }
        if (std::holds_alternative<smtp::body_end>(e)) {
            note("end");
            return script("end", {250, "2.0.0", "kept"});
        }
        if (auto* x = std::get_if<sasl::scram_begin>(&e)) {
            note("scram " + x->user + (x->channel_binding.empty() ? "" : " " + x->channel_binding));
            return sasl::test::answer(*x);
        }
        if (auto* x = std::get_if<sasl::scram_proof>(&e)) {
            note("proof " + x->user);
            return sasl::test::answer(*x);
        }
        note(std::holds_alternative<smtp::body_abort>(e) ? "abort" : "tls");
        return smtp::accepted{};
    }
};

struct step {
    std::string packet;                   // of the client; empty: the greeting
    std::vector<std::string> answers, events;
    bool closes = false;
};

inline std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            out += text[i];
            continue;
        }
        switch (text[++i]) {
        case 'r': out += '\r'; break;
        case 'n': out += '\n'; break;
        case 't': out += '\t'; break;
        case '0': out += '\0'; break;
        case '-': return out;   // no line end
        default: out += text[i];
        }
    }
    return out + "\r\n";
}

inline std::vector<step> parse(std::string_view script) {
    std::vector<step> steps(1);
    bool in_packet = false;
    while (!script.empty()) {
        const auto end = std::min(script.find('\n'), script.size());
        const auto line = script.substr(0, end);
        script.remove_prefix(std::min(end + 1, script.size()));
        if (line.empty()) continue;
        REQUIRE(line.size() >= 3);
        const auto text = line.substr(3);
        if (line[0] == 'C') {
            if (!in_packet) steps.emplace_back();
            in_packet = true;
            steps.back().packet += unescaped(text);
            continue;
        }
        in_packet = false;
        if (line[0] == 'E') steps.back().events.emplace_back(text);
        else if (text == "close") steps.back().closes = true;
        else steps.back().answers.emplace_back(text);
    }
    return steps;
}

using prepare = std::function<void(desk&)>;

// cut_step, cut_at: where one packet is cut into two; -1 for none.
inline void play_once(const std::vector<step>& steps, const smtp::session_options& options, const prepare& before,
                      int cut_step, std::size_t cut_at, bool byte_by_byte = false) {
    desk d(options);
    if (before) before(d);
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const step& s = steps[i];
        d.written.clear();
        d.events.clear();
        if (byte_by_byte) {
            for (const char c : s.packet) d.feed(std::string_view(&c, 1));
            d.pump();
        } else if (static_cast<int>(i) == cut_step) {
            d.feed(std::string_view(s.packet).substr(0, cut_at));
            d.feed(std::string_view(s.packet).substr(cut_at));
        } else {
            d.feed(s.packet);
        }
        std::string expected;
        for (const auto& a : s.answers) expected += a + "\r\n";
        if (d.written == expected && d.events == s.events && d.session.finished() == s.closes) continue;
        INFO("client: " << s.packet << " (cut in step " << cut_step << " at " << cut_at << ")");
        REQUIRE(d.written == expected);
        REQUIRE(d.events == s.events);
        REQUIRE(d.session.finished() == s.closes);
    }
}

// Plays the dialogue whole, byte by byte, and with every packet cut at every byte.
inline void play(std::string_view script, smtp::session_options options = {}, const prepare& before = {}) {
    const auto steps = parse(script);
    play_once(steps, options, before, -1, 0);
    play_once(steps, options, before, -1, 0, true);
    for (std::size_t i = 0; i < steps.size(); ++i)
        for (std::size_t at = 0; at <= steps[i].packet.size(); ++at)
            play_once(steps, options, before, static_cast<int>(i), at);
    SUCCEED("played");
}

// A session after greeting, EHLO and login; begin_mail adds MAIL and one RCPT. The record is empty then.
inline void log_in(desk& d) {
    d.feed("EHLO me\r\n" + plain_right + "\r\n");
    d.written.clear();
    d.events.clear();
}
inline void begin_mail(desk& d) {
    log_in(d);
    d.feed("MAIL FROM:<anna@a.alt>\r\nRCPT TO:<bob@b.alt>\r\n");
    d.written.clear();
    d.events.clear();
}

}  // namespace player
