// The load driver of tests/bench: one task per call against any IMAP server, one line of name=value results.
//
//     imap_load HOST PORT USER PASSWORD TASK ARGUMENT...
//
//     append MAILBOX CONNECTIONS DEPTH COUNT BYTES   COUNT mails, DEPTH of them under way on each connection
//     select MAILBOX ROUNDS                          fresh connections; the SELECT alone is timed
//     login ROUNDS                                   connect, LOGIN, LOGOUT
//     all MAILBOX ROUNDS COMMAND                     a command over the whole mailbox, as often as there are rounds
//     each MAILBOX COUNT COMMAND                     COMMAND with % as a random UID, one at a time
//     idle MAILBOX CONNECTIONS ROUNDS                from the sending of an APPEND until each idler knows
//     hold MAILBOX CONNECTIONS                       as many idlers, until a line comes on standard input
#include "tests/bench/imap_client.hpp"

#include <poll.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <numeric>
#include <random>
#include <thread>

namespace pp::bench {

namespace {

using watch = std::chrono::steady_clock;

double seconds_since(watch::time_point begun) { return std::chrono::duration<double>(watch::now() - begun).count(); }

double quantile(std::vector<double>& samples, double q) {
    if (samples.empty()) give_up("nothing was measured");
    std::sort(samples.begin(), samples.end());
    return samples[std::min(samples.size() - 1, static_cast<std::size_t>(q * static_cast<double>(samples.size())))];
}

void print_times(std::vector<double> s) {
    std::printf("p50_ms=%.4f p99_ms=%.4f max_ms=%.4f\n", quantile(s, 0.5) * 1e3, quantile(s, 0.99) * 1e3,
                s.back() * 1e3);
}

std::string append_command(const std::string& mailbox, const std::string& mail) {
    return "APPEND " + mailbox + " {" + std::to_string(mail.size()) + "+}\r\n" + mail;
}

// RFC 7888 LITERAL+ makes one APPEND one write; DEPTH of them wait for their answer.
void append(const server& where, const std::string& mailbox, int connections, std::size_t depth, std::uint64_t count,
            std::size_t bytes) {
    std::vector<imap_client> clients;
    for (int i = 0; i < connections; ++i) {
        clients.emplace_back(where);
        clients.back().log_in(where);
    }
    const auto samples =
        std::max<std::uint64_t>(1, std::min<std::uint64_t>(count, (64u << 20) / std::max<std::size_t>(bytes, 1)));
    std::vector<std::string> mails;
    for (std::uint64_t i = 0; i < samples; ++i) mails.push_back(sample_mail(i, bytes));
    std::atomic<std::uint64_t> next = 0, sent_bytes = 0;
    const auto begun = watch::now();
    std::vector<std::thread> threads;
    for (auto& client : clients)
        threads.emplace_back([&] {
            std::deque<std::string> open;
            for (auto n = next++; n < count; n = next++) {
                const auto& mail = mails[n % samples];
                open.push_back(client.send(append_command(mailbox, mail)));
                sent_bytes += mail.size();
                if (open.size() < depth) continue;
                client.wait(open.front());
                open.pop_front();
            }
            for (const auto& tag : open) client.wait(tag);
        });
    for (auto& t : threads) t.join();
    const auto took = seconds_since(begun);
    std::printf("per_s=%.1f mb_per_s=%.2f\n", static_cast<double>(count) / took,
                static_cast<double>(sent_bytes) / took / 1e6);
}

void select(const server& where, const std::string& mailbox, int rounds) {
    std::vector<double> times;
    for (int i = 0; i < rounds; ++i) {
        imap_client client(where);
        client.log_in(where);
        const auto begun = watch::now();
        client.select(mailbox);
        times.push_back(seconds_since(begun));
    }
    print_times(std::move(times));
}

void login(const server& where, int rounds) {
    std::vector<double> times;
    for (int i = 0; i < rounds; ++i) {
        const auto begun = watch::now();
        imap_client client(where);
        client.log_in(where);
        client.run("LOGOUT");
        times.push_back(seconds_since(begun));
    }
    print_times(std::move(times));
}

void all(const server& where, const std::string& mailbox, int rounds, const std::string& command) {
    imap_client client(where);
    client.log_in(where);
    const auto mails = client.select(mailbox);
    std::vector<double> times;
    double bytes = 0;
    for (int i = 0; i < rounds; ++i) {
        const auto begun = watch::now();
        bytes = static_cast<double>(client.run(command).bytes);
        times.push_back(seconds_since(begun));
    }
    const auto first = times.front(), best = *std::min_element(times.begin(), times.end()), p50 = quantile(times, 0.5);
    std::printf("first_ms=%.3f p50_ms=%.3f best_ms=%.3f first_per_s=%.0f per_s=%.0f mb_per_s=%.1f\n", first * 1e3,
                p50 * 1e3, best * 1e3, mails / first, mails / p50, bytes / p50 / 1e6);
}

void each(const server& where, const std::string& mailbox, int count, const std::string& command) {
    imap_client client(where);
    client.log_in(where);
    const auto mails = client.select(mailbox);
    const auto hole = command.find('%');
    if (hole == command.npos || mails == 0) give_up("each needs a % in its command and a mail in its mailbox");
    std::mt19937 dice(1);   // the same mails for every server
    std::vector<double> times;
    const auto begun = watch::now();
    for (int i = 0; i < count; ++i) {
        auto now = command;
        now.replace(hole, 1, std::to_string(1 + dice() % mails));
        const auto at = watch::now();
        client.run(now);
        times.push_back(seconds_since(at));
    }
    const auto took = seconds_since(begun);
    std::printf("per_s=%.1f ", count / took);
    print_times(std::move(times));
}

std::vector<imap_client> idlers(const server& where, const std::string& mailbox, int connections,
                                std::uint32_t& mails) {
    std::vector<imap_client> clients;
    for (int i = 0; i < connections; ++i) {
        auto& client = clients.emplace_back(where);
        client.log_in(where);
        mails = client.select(mailbox);
        client.send("IDLE");
        while (client.line().substr(0, 1) != "+") {}
    }
    return clients;
}

void idle(const server& where, const std::string& mailbox, int connections, int rounds) {
    std::uint32_t mails = 0;
    auto clients = idlers(where, mailbox, connections, mails);
    imap_client writer(where);
    writer.log_in(where);
    std::vector<double> times, last;
    for (int round = 0; round < rounds; ++round) {
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
        const auto told = "* " + std::to_string(++mails) + " EXISTS";
        std::vector<pollfd> waiting;
        std::vector<imap_client*> who;
        for (auto& client : clients) {
            client.saw_without_waiting("\n");
            waiting.push_back({client.descriptor(), POLLIN, 0});
            who.push_back(&client);
        }
        const auto begun = watch::now();
        const auto tag = writer.send(append_command(mailbox, sample_mail(mails, 2000)));
        while (!waiting.empty()) {
            if (poll(waiting.data(), waiting.size(), 30000) <= 0) give_up("an idler was told nothing for 30 s");
            const auto at = seconds_since(begun);
            for (std::size_t i = waiting.size(); i-- > 0;) {
                if (waiting[i].revents == 0 || !who[i]->saw_without_waiting(told)) continue;
                times.push_back(at);
                waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(i));
                who.erase(who.begin() + static_cast<std::ptrdiff_t>(i));
            }
        }
        last.push_back(times.back());
        writer.wait(tag);
    }
    std::printf("last_p50_ms=%.2f ", quantile(last, 0.5) * 1e3);
    print_times(std::move(times));
}

void hold(const server& where, const std::string& mailbox, int connections) {
    std::uint32_t mails = 0;
    const auto clients = idlers(where, mailbox, connections, mails);
    std::cout << "holding=" << clients.size() << std::endl;
    std::string line;
    std::getline(std::cin, line);
}

int run(const std::vector<std::string>& a) {
    if (a.size() < 6) give_up("usage: imap_load HOST PORT USER PASSWORD TASK ARGUMENT...");
    const server where{a[0], a[1], a[2], a[3]};
    const auto number = [&](std::size_t i) { return i < a.size() ? std::atoi(a[i].c_str()) : 0; };
    const auto& task = a[4];
    const auto is = [&](std::string_view name, std::size_t arguments) {
        return task == name && a.size() == 5 + arguments;
    };
    if (is("append", 5))
        append(where, a[5], number(6), static_cast<std::size_t>(number(7)), static_cast<std::uint64_t>(number(8)),
               static_cast<std::size_t>(number(9)));
    else if (is("select", 2)) select(where, a[5], number(6));
    else if (is("login", 1)) login(where, number(5));
    else if (is("all", 3)) all(where, a[5], number(6), a[7]);
    else if (is("each", 3)) each(where, a[5], number(6), a[7]);
    else if (is("idle", 3)) idle(where, a[5], number(6), number(7));
    else if (is("hold", 2)) hold(where, a[5], number(6));
    else give_up("unknown task, or not its number of arguments");
    return 0;
}

}  // namespace

}  // namespace pp::bench

int main(int argc, char** argv) { return pp::bench::run(std::vector<std::string>(argv + 1, argv + argc)); }
