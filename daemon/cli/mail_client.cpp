#include "daemon/cli/mail_client.hpp"

#include "crypto/bytes.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>

#include <charconv>
#include <vector>

namespace pp::cli {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

struct line_connection::state {
    explicit state(std::chrono::seconds l) : limit(l) {}

    asio::io_context io{1};
    asio::ssl::context tls{asio::ssl::context::tls_client};
    asio::ssl::stream<tcp::socket> stream{io, tls};
    bool encrypted = false;
    std::chrono::seconds limit;
    std::string read_ahead;

    // Starts an operation, then runs until it has ended or the time is over.
    template <class Start>
    void step(const char* what, Start start) {
        error_code ended = asio::error::timed_out;
        start([&ended](const error_code& ec, auto...) { ended = ec; });
        io.restart();
        io.run_for(limit);
        if (!io.stopped()) {
            error_code ignored;
            stream.lowest_layer().close(ignored);
            io.run();
            ended = asio::error::timed_out;
        }
        if (ended) throw mail_client_error(std::string(what) + ": " + ended.message());
    }

    void read_more() {
        constexpr std::size_t piece = 64 * 1024;
        const auto before = read_ahead.size();
        std::size_t got = 0;
        read_ahead.resize(before + piece);
        const auto into = asio::buffer(read_ahead.data() + before, piece);
        step("reading", [&](auto done) {
            auto counted = [&got, done](const error_code& ec, std::size_t n) mutable {
                got = n;
                done(ec);
            };
            encrypted ? stream.async_read_some(into, counted) : stream.next_layer().async_read_some(into, counted);
        });
        read_ahead.resize(before + got);
    }
};

line_connection::line_connection(const mail_server& server, std::chrono::seconds limit)
    : state_(std::make_unique<state>(limit)) {
    auto& s = *state_;
    const tcp::endpoint where(asio::ip::make_address(server.address), server.port);
    s.step("connecting", [&](auto done) { s.stream.lowest_layer().async_connect(where, done); });
    if (!server.tls) return;
    error_code failed;
    s.tls.load_verify_file(server.ca_file.string(), failed);
    if (failed) throw mail_client_error("reading " + server.ca_file.string() + ": " + failed.message());
    // The stream took its settings before the CA was loaded into the context: give them to it directly.
    SSL_set1_verify_cert_store(s.stream.native_handle(), SSL_CTX_get_cert_store(s.tls.native_handle()));
    s.stream.set_verify_mode(asio::ssl::verify_peer);
    s.stream.set_verify_callback(asio::ssl::host_name_verification(server.address));
    s.step("TLS handshake", [&](auto done) { s.stream.async_handshake(asio::ssl::stream_base::client, done); });
    s.encrypted = true;
}

line_connection::~line_connection() = default;
line_connection::line_connection(line_connection&&) noexcept = default;

void line_connection::write(std::string_view text) {
    auto& s = *state_;
    s.step("writing", [&](auto done) {
        s.encrypted ? asio::async_write(s.stream, asio::buffer(text), done)
                    : asio::async_write(s.stream.next_layer(), asio::buffer(text), done);
    });
}

std::string line_connection::read_line() {
    auto& s = *state_;
    std::size_t end;
    while ((end = s.read_ahead.find("\r\n")) == std::string::npos) {
        if (s.read_ahead.size() > line_bytes_max) throw mail_client_error("the server sent an endless line");
        s.read_more();
    }
    auto line = s.read_ahead.substr(0, end);
    s.read_ahead.erase(0, end + 2);
    return line;
}

std::string line_connection::read_exactly(std::size_t n) {
    auto& s = *state_;
    while (s.read_ahead.size() < n) s.read_more();
    auto out = s.read_ahead.substr(0, n);
    s.read_ahead.erase(0, n);
    return out;
}

// ---------------------------------------------------------------- SMTP

namespace {

// A reply, its last line; RFC 5321 section 4.2.1: lines before the last have a dash after the code.
std::string expect(line_connection& c, std::string_view code, const char* at) {
    std::string line;
    do {
        line = c.read_line();
    } while (line.size() > 3 && line[3] == '-');
    if (!line.starts_with(code)) throw mail_client_error(std::string(at) + " was answered: " + line);
    return line;
}

// RFC 5321 section 4.5.2.
std::string dot_stuffed(std::string_view mail) {
    std::string out;
    out.reserve(mail.size() + mail.size() / 64);
    bool line_start = true;
    for (const char c : mail) {
        if (line_start && c == '.') out += '.';
        out += c;
        line_start = c == '\n';
    }
    return out;
}

}  // namespace

void submit_mail(const mail_server& server, const std::string& user, const std::string& password, const std::string& to,
                 std::string_view mail, std::chrono::seconds limit) {
    line_connection c(server, limit);
    expect(c, "220", "the connection");
    c.write("EHLO localhost\r\n");
    expect(c, "250", "EHLO");
    const std::string secret = std::string(1, '\0') + user + std::string(1, '\0') + password;
    c.write("AUTH PLAIN " + crypto::base64(as_bytes(secret)) + "\r\n");
    expect(c, "235", "AUTH");
    c.write("MAIL FROM:<" + user + "> SIZE=" + std::to_string(mail.size()) + "\r\n");
    expect(c, "250", "MAIL");
    c.write("RCPT TO:<" + to + ">\r\n");
    expect(c, "250", "RCPT");
    c.write("DATA\r\n");
    expect(c, "354", "DATA");
    c.write(dot_stuffed(mail));
    c.write(".\r\n");
    expect(c, "250", "the mail");
    c.write("QUIT\r\n");
    expect(c, "221", "QUIT");
}

// ---------------------------------------------------------------- IMAP

imap_reader::imap_reader(const mail_server& server, const std::string& user, const std::string& password,
                         std::chrono::seconds limit)
    : connection_(server, limit) {
    const auto greeting = connection_.read_line();
    if (!greeting.starts_with("* OK")) throw mail_client_error("the IMAP server greeted with: " + greeting);
    command("LOGIN \"" + user + "\" \"" + password + "\"");
    command("SELECT INBOX");
}

void imap_reader::note(std::string_view line) {
    // "* 7 EXISTS", RFC 9051 section 7.4.1
    if (!line.starts_with("* ") || !line.ends_with(" EXISTS")) return;
    line.remove_prefix(2);
    std::from_chars(line.data(), line.data() + line.size(), exists_);
}

std::string imap_reader::command(std::string_view text) {
    const auto tag = "a" + std::to_string(++tag_);
    connection_.write(tag + " " + std::string(text) + "\r\n");
    while (true) {
        auto line = connection_.read_line();
        note(line);
        if (!line.starts_with(tag + " ")) continue;
        if (!line.starts_with(tag + " OK"))   // the verb only: the rest may be a password
            throw mail_client_error(std::string(text.substr(0, text.find(' '))) + " was answered: " + line);
        return line;
    }
}

std::uint32_t imap_reader::wait_for_more_than(std::uint32_t n) {
    if (exists_ > n) return exists_;
    const auto tag = "a" + std::to_string(++tag_);
    connection_.write(tag + " IDLE\r\n");
    while (exists_ <= n) {
        const auto line = connection_.read_line();
        if (line.starts_with(tag)) throw mail_client_error("IDLE was answered: " + line);
        note(line);
    }
    connection_.write("DONE\r\n");
    while (!connection_.read_line().starts_with(tag + " OK")) {
    }
    return exists_;
}

std::string imap_reader::fetch_whole(std::uint32_t number) {
    const auto tag = "a" + std::to_string(++tag_);
    connection_.write(tag + " FETCH " + std::to_string(number) + " BODY.PEEK[]\r\n");
    std::string mail;
    while (true) {
        const auto line = connection_.read_line();
        note(line);
        if (line.starts_with(tag + " ")) {
            if (!line.starts_with(tag + " OK")) throw mail_client_error("FETCH was answered: " + line);
            return mail;
        }
        // A literal at the end of the line: RFC 9051 section 4.3.
        const auto brace = line.rfind('{');
        if (brace == line.npos || line.back() != '}' || line.find(" FETCH ") == line.npos) continue;
        std::size_t size = 0;
        std::from_chars(line.data() + brace + 1, line.data() + line.size() - 1, size);
        mail = connection_.read_exactly(size);
    }
}

void imap_reader::log_out() { command("LOGOUT"); }

}  // namespace pp::cli
