// The submission machine with hostile bytes: whole and in pieces it must ask the same and answer the same, and what it
// hands on as a mail must never hold a bare CR or LF. First byte: options; second: size of the pieces.
#include "proto/smtp/server_session.hpp"
#include "tests/proto/sasl/scram_desk.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>

namespace {

using namespace pp;

struct record {
    std::string asked, written;
    bool finished = false;
    bool operator==(const record&) const = default;
};

void require(bool good) {
    if (!good) std::abort();
}

bool has_bare(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n')) return true;
        if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) return true;
    }
    return false;
}

class fake_daemon {
public:
    explicit fake_daemon(unsigned char options) : session_(make(options)) {
        session_.tick(wire::time_point(std::chrono::hours(1)));
    }

    void feed(bytes_view in) {
        session_.received(in);
        pump();
    }
    record end() {
        session_.input_ended();
        pump();
        require(session_.finished());
        require(!mail_open_);   // every mail is ended or given up
        seen_.finished = true;
        return seen_;
    }

private:
    static smtp::session_options make(unsigned char bits) {
        smtp::session_options o;
        o.size_max = (bits & 1) ? 100 : 0;
        o.hold_for_max_s = (bits & 2) ? 1000 : 0;
        o.hold_until_max = 4000000000;
        return o;
    }
    void pump() {
        for (;;) {
            if (auto e = session_.next_event()) session_.answer(std::visit([&](auto& x) { return decide(x); }, *e));
            else if (session_.to_send().empty()) return;
            seen_.written += as_text(session_.to_send());
            session_.sent(session_.to_send().size());
        }
    }
    smtp::verdict decide(smtp::login& x) {
        seen_.asked += "login " + x.user + "\n";
        return x.user.size() % 2 ? smtp::reply{535, "5.7.8", "no"} : smtp::reply{235, "2.7.0", "yes"};
    }
    smtp::verdict decide(smtp::mail_from& x) {
        require(!mail_open_);
        seen_.asked += "mail " + (x.from ? x.from->text() : "") + x.envid + "\n";
        require(!x.hold_for_s || *x.hold_for_s <= 1000);
        require(!x.hold_until || *x.hold_until <= 4000000000);
        binary_ = x.body_binary;
        const bool good = x.envid != "no";
        mail_open_ = good;
        return good ? smtp::reply{250, "2.1.0", "ok"} : smtp::reply{550, "5.7.1", "no"};
    }
    smtp::verdict decide(smtp::recipient& x) {
        require(mail_open_ && !body_open_);
        seen_.asked += "rcpt " + x.to.text() + x.orcpt + "\n";
        return x.to.local == "no" ? smtp::reply{550, "5.1.1", "no"} : smtp::reply{250, "2.1.5", "ok"};
    }
    smtp::verdict decide(smtp::body_begin&) {
        require(mail_open_ && !body_open_);
        seen_.asked += "begin\n";
        body_open_ = true;
        body_.clear();
        return smtp::reply{354, "", "go"};
    }
    smtp::verdict decide(smtp::body_chunk& x) {
        require(body_open_ && !x.data.empty() && x.data.size() <= 64 * 1024);
        body_ += as_text(x.data);
        return smtp::accepted{};
    }
    smtp::verdict decide(smtp::body_end&) {
        require(body_open_ && (binary_ || !has_bare(body_)));
        close("end");
        return smtp::reply{250, "2.0.0", "kept"};
    }
    smtp::verdict decide(smtp::body_abort&) {
        require(mail_open_);
        close("abort");
        return smtp::accepted{};
    }
    smtp::verdict decide(smtp::start_tls&) {
        require(false);   // not offered: its meaning depends on where packets end
        return smtp::accepted{};
    }
    smtp::verdict decide(sasl::scram_begin& x) {
        seen_.asked += "scram " + x.user + "\n";
        return sasl::test::answer(x);
    }
    smtp::verdict decide(sasl::scram_proof& x) {
        seen_.asked += "proof " + x.auth_message + "\n";
        return sasl::test::answer(x);
    }
    void close(const char* how) {
        seen_.asked += body_open_ ? body_ + "\n" + how + "\n" : std::string(how) + "\n";
        mail_open_ = body_open_ = false;
        body_.clear();
    }

    smtp::server_session session_;
    record seen_;
    bool mail_open_ = false, body_open_ = false, binary_ = false;
    std::string body_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const auto wire = std::as_bytes(std::span(data + 2, size - 2));
    const std::size_t piece = std::max<std::size_t>(data[1], 1);
    fake_daemon whole(data[0]), split(data[0]);
    whole.feed(wire);
    for (std::size_t at = 0; at < wire.size(); at += piece)
        split.feed(wire.subspan(at, std::min(piece, wire.size() - at)));
    require(whole.end() == split.end());
    return 0;
}
