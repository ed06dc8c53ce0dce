// `peerpost demo`: two nodes in a temporary directory, each the other's contact, to point two mail clients at.
// `peerpost demo --check`: sends a mail each way instead and proves that what arrives is what was sent, byte for byte.
#include "crypto/primitives.hpp"
#include "daemon/cli/demo_node.hpp"
#include "daemon/cli/process.hpp"
#include "proto/mail/date.hpp"

#include <CLI/CLI.hpp>
#include <stdlib.h>
#include <sysexits.h>

#include <condition_variable>
#include <cstdio>
#include <iostream>
#include <mutex>
#include <random>
#include <thread>

namespace pp::cli {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr std::size_t attachment_bytes = 25 * 1024 * 1024;
constexpr std::size_t small_bytes = 2000;
constexpr auto step_limit = 120s;
constexpr auto receipt_poll = 20ms;

// The temporary directory of the demo; gone with it, with everything that was sent.
struct demo_folder {
    std::filesystem::path path;
    demo_folder() {
        auto name = (std::filesystem::temp_directory_path() / "peerpost-demo-XXXXXX").string();
        if (!mkdtemp(name.data())) throw demo_error("no temporary directory can be made in " + name);
        path = name;
    }
    ~demo_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
};

struct letter {
    std::string message_id, text;
};

// A multipart mail whose attachment is pseudo-random bytes: nothing along the way can guess or squeeze it.
letter write_letter(const demo_node& from, const demo_node& to, std::size_t attached) {
    std::mt19937_64 dice(attached);
    bytes data(attached);
    for (auto& b : data) b = static_cast<std::byte>(dice());
    const auto encoded = crypto::base64(data);
    constexpr std::size_t columns = 76;   // RFC 2045 section 6.8
    letter out;
    out.message_id = "<demo-" + crypto::hex(crypto::random<crypto::hash256>().view().first(12)) + "@peerpost.alt>";
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
    out.text =
        "From: " + from.name() + " <" + from.address() + ">\r\nTo: " + to.name() + " <" + to.address() +
        ">\r\nSubject: demo\r\nDate: " + mail::header_date({now.count(), 0}) + "\r\nMessage-ID: " + out.message_id +
        "\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"demo\"\r\n\r\n--demo\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n\r\nA mail of peerpost's demo.\r\n.\r\n..a line with dots\r\n"
        "--demo\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; "
        "filename=\"random.bin\"\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n";
    out.text.reserve(out.text.size() + encoded.size() + encoded.size() / columns * 2 + 100);
    for (std::size_t at = 0; at < encoded.size(); at += columns) out.text += encoded.substr(at, columns) + "\r\n";
    out.text += "--demo--\r\n";
    return out;
}

class stopwatch {
public:
    void hop(const std::string& what) const {
        const auto ms = std::chrono::duration_cast<std::chrono::microseconds>(clock::now() - start_).count() / 1000.0;
        std::printf("  %10.1f ms  %s\n", ms, what.c_str());
        std::fflush(stdout);
    }

private:
    clock::time_point start_ = clock::now();
};

void wait_for_receipt(demo_node& sender, const std::string& message_id) {
    for (const auto until = clock::now() + step_limit; clock::now() < until;
         std::this_thread::sleep_for(receipt_poll)) {
        const auto answer = sender.ask("queue", {{"all", true}});
        for (const auto& item : list(answer, "queue")) {
            const auto& row = item.as_object();
            const auto id = text(row, "message_id");
            if (id.empty() || message_id.find(id) == message_id.npos) continue;
            if (text(row, "state") == "failed") throw demo_error("delivery failed: " + text(row, "last_error"));
            if (text(row, "state") == "delivered") return;
        }
    }
    throw demo_error("no signed receipt came within the time");
}

// SHA-256 of what was submitted is that of what is fetched below the Authentication-Results block (01-product 1.5).
void compare(const std::string& sent, const std::string& got) {
    if (got.size() < sent.size()) throw demo_error("less came back than was sent");
    const auto head = std::string_view(got).substr(0, got.size() - sent.size());
    const auto tail = std::string_view(got).substr(head.size());
    if (!head.empty() && (head.find("Authentication-Results:") == head.npos || !head.ends_with("\r\n")))
        throw demo_error("what stands above the mail is no Authentication-Results block");
    if (crypto::sha256(as_bytes(tail)) != crypto::sha256(as_bytes(sent))) throw demo_error("the SHA-256 differs");
}

void check_one_way(demo_node& from, demo_node& to, std::size_t attached) {
    const auto mail = write_letter(from, to, attached);
    std::cout << from.name() << " to " << to.name() << ", " << human_bytes(mail.text.size()) << "\n";
    std::string step = "logging in at the recipient";
    try {
        imap_reader reader(to.imap(true), to.address(), to.password(), step_limit);
        const auto before = reader.exists();
        const stopwatch watch;
        step = "submission";
        submit_mail(from.smtp(true), from.address(), from.password(), to.address(), mail.text, step_limit);
        watch.hop("submitted: 250");
        step = "waiting for EXISTS";
        const auto number = reader.wait_for_more_than(before);
        watch.hop("EXISTS at the recipient");
        step = "the receipt";
        wait_for_receipt(from, mail.message_id);
        watch.hop("delivered: signed receipt seen in the queue");
        step = "fetching";
        const auto got = reader.fetch_whole(number);
        watch.hop("fetched " + human_bytes(got.size()));
        step = "comparing";
        compare(mail.text, got);
        watch.hop("SHA-256 is the same");
        reader.log_out();
    } catch (const std::runtime_error& error) {
        throw demo_error("step \"" + step + "\", " + from.name() + " to " + to.name() + ": " + error.what());
    }
}

void make_contacts(demo_node& a, demo_node& b) {
    b.ask("contact add", {{"contact", text(a.ask("invite", {}), "link")}});
    a.ask("contact add", {{"contact", text(b.ask("invite", {}), "link")}});
}

void print_settings(const demo_node& n) {
    const auto line = [](const char* what, const mail_server& tls, const mail_server& clear) {
        std::cout << "  " << what << "  " << tls.address << "  port " << tls.port << " with SSL/TLS, or port "
                  << clear.port << " without encryption\n";
    };
    std::cout << n.name() << "\n  user name  " << n.address() << "\n  password   " << n.password() << "\n";
    line("IMAP     ", n.imap(true), n.imap(false));
    line("SMTP     ", n.smtp(true), n.smtp(false));
    std::cout << "  CA         " << n.imap(true).ca_file.string() << "\n\n";
}

// What a signal ends: the wait of the person's demo, or the nodes under a running check, which then fails at once.
struct ending {
    std::mutex mutex;
    std::condition_variable changed;
    bool came = false;
    std::vector<const demo_node*> nodes;

    void signalled() {
        const std::lock_guard guard(mutex);
        came = true;
        for (const auto* node : nodes) node->interrupt();
        changed.notify_all();
    }
    void watch(std::vector<const demo_node*> these) {
        const std::lock_guard guard(mutex);
        nodes = std::move(these);
        if (came && !nodes.empty()) throw demo_error("interrupted");
    }
    void wait() {
        std::unique_lock guard(mutex);
        changed.wait(guard, [&] { return came; });
    }
};

void run_demo(ending& end, const std::string& program, bool check) {
    const demo_folder folder;
    demo_node alice(program, folder.path / "alice", "Alice"), bob(program, folder.path / "bob", "Bob");
    alice.start();
    bob.start();
    end.watch({&alice, &bob});
    struct unwatch {
        ending& e;
        ~unwatch() { e.watch({}); }
    } const until_here{end};
    make_contacts(alice, bob);
    if (check) {
        check_one_way(alice, bob, small_bytes);
        check_one_way(bob, alice, attachment_bytes);
        std::cout << "the demo works: both mails arrived unchanged\n" << std::flush;
        return;
    }
    std::cout << "Two nodes run in " << folder.path.string() << "; each is a contact of the other.\n\n";
    print_settings(alice);
    print_settings(bob);
    std::cout << "Ctrl-C ends the demo and removes everything.\n" << std::flush;
    end.wait();
}

void demo(context& c, bool check) {
    constexpr auto patience = 10s;   // two nodes end one after the other, 2 s each at most
    ending end;
    const end_signal signals([&end] { end.signalled(); }, patience);
    try {
        run_demo(end, own_program(c.program), check);
    } catch (const std::exception& error) {
        fail(c, {EX_SOFTWARE, std::string("demo: ") + (signals.came() ? "interrupted" : error.what())});
    }
}

}  // namespace

void add_demo(CLI::App& app, context& c) {
    const auto check = std::make_shared<bool>(false);
    auto* command =
        app.add_subcommand("demo", "Two nodes in a temporary directory, to try peerpost with two mail clients");
    command->add_flag("--check", *check, "Send a mail each way, compare every byte, print each hop's time, and end");
    command->callback([&c, check] { demo(c, *check); });
}

}  // namespace pp::cli
