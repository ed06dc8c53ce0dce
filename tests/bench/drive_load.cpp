// How fast mails are written to a drive, and how fast another node fetches them: for tests/bench/beside_hypercore.py. A
// measurement, never a test.   drive_load FOLDER FILES BYTES
//
// Written: encrypted, indexed and durable, by the store's own writer with the group commit of the daemon, once with
// each mail by itself and once with as many waiting as a busy daemon has. The mails' text is made before the clock
// runs, as it is for the other side.
// Fetched: over one peer link (TCP on loopback, TLS 1.3, both sides with a network thread as a daemon has), with the
// daemon's own two ends of it (fetch_blob.hpp) and as many at a time as its receiver has, every chunk verified against
// the blob id. What is more than one chunk is kept in a file of incoming/, not synced, as the daemon does until the
// mail is whole. Then the same with all that a receiver does besides: opened, encrypted anew and committed durably to
// the own store.
#include "daemon/net/await.hpp"
#include "daemon/net/fetch_blob.hpp"
#include "daemon/net/peer_link.hpp"
#include "daemon/net/receiver.hpp"
#include "daemon/net/reencrypt.hpp"
#include "daemon/net/relay_call.hpp"
#include "daemon/net/tls.hpp"
#include "daemon/services/store_writer.hpp"
#include "storage/txn.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <iostream>

using namespace pp;
using namespace pp::net;
namespace fs = std::filesystem;

namespace {

template <class T>
T must(result<T> r, const char* what) {
    if (r.has_error()) {
        std::fprintf(stderr, "%s: %s\n", what, r.error().message().c_str());
        std::_Exit(1);
    }
    if constexpr (!std::is_void_v<T>) return std::move(*r);
}

double cpu_s() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const auto s = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return s(used.ru_utime) + s(used.ru_stime);
}

struct stopwatch {
    std::chrono::steady_clock::time_point begun = std::chrono::steady_clock::now();
    double cpu = cpu_s();
    void say(const char* step) const {
        std::cout << "{\"step\": \"" << step
                  << "\", \"wall\": " << std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count()
                  << ", \"cpu\": " << cpu_s() - cpu << "}" << std::endl;
    }
};

// Mails of so many bytes: their own headers, then the same lines, which nothing below sees.
struct mails_of {
    explicit mails_of(std::size_t bytes_each) : size(bytes_each) {
        bytes noise(57);
        while (body.size() + 80 < size) {
            crypto::random_bytes(noise);
            const auto line = crypto::base64(noise) + "\r\n";
            body.insert(body.end(), as_bytes(line).begin(), as_bytes(line).end());
        }
        body.resize(size, std::byte{'x'});
    }
    result<void> write(std::size_t n, storage::blob_writer& to) const {
        const auto number = std::to_string(n);
        const auto header = "From: <a@example.alt>\r\nSubject: mail " + number + "\r\nMessage-ID: <" + number +
                            "@example.alt>\r\nContent-Type: text/plain\r\n\r\n";
        if (auto r = to.write(as_bytes(header)); !r) return r;
        return to.write(bytes_view(body).first(size - header.size()));
    }
    std::size_t size;
    bytes body;
};

// A store with its writer.
struct drive {
    explicit drive(const fs::path& folder) {
        fs::create_directories(folder.parent_path());
        store = must(storage::account_store::create(folder, storage::account_keys::generate()), "create");
    }
    ~drive() { writer.stop(); }
    services::store_writer::job add(std::shared_ptr<storage::blob_writer> blob) {
        return [blob, this](storage::write_txn& txn) -> result<void> {
            auto box = txn.find_mailbox("INBOX");
            if (!box) return box.error();
            storage::new_mail what;
            what.box = (*box)->id;
            auto placed = txn.add_mail(what, *blob);
            if (!placed) return placed.error();
            serials.push_back(placed->mail_serial);
            return {};
        };
    }
    services::change_bus changes;
    std::unique_ptr<storage::account_store> store;
    services::store_writer writer{changes};
    std::vector<std::uint64_t> serials;          // of the writer's thread
};

// As clients that hand in mails at the same time have them written: text comes on one thread, and where the end of a
// mail takes as long as the disk (finish_blob), it is waited for elsewhere.
void write_mails(drive& to, std::size_t files, const mails_of& mails, std::size_t waiting) {
    std::mutex mutex;
    std::condition_variable done;
    std::size_t open = 0;
    asio::thread_pool workers(2);
    for (std::size_t n = 0; n < files; ++n) {
        {
            std::unique_lock lock(mutex);
            done.wait(lock, [&] { return open < waiting; });
            ++open;
        }
        auto blob = std::make_shared<storage::blob_writer>(to.store->new_blob());
        must(mails.write(n, *blob), "write");
        auto end = [&, blob] {
            must(blob->finish(), "finish");
            to.writer.submit("a", *to.store, to.add(blob), [&](const result<void>& r) {
                must(r, "commit");
                std::lock_guard guard(mutex);
                --open;
                done.notify_one();
            });
        };
        if (blob->plain_bytes() > finish_on_worker_bytes) asio::post(workers, std::move(end));
        else end();
    }
    std::unique_lock lock(mutex);
    done.wait(lock, [&] { return open == 0; });
}

// ---------------------------------------------------------------- the two ends of a link
struct side : peer_link::owner {
    relay_identity who = throw_away_identity(services::now_s());
    peer::hello hello() const {
        peer::hello h;
        h.mine = who.certificate;
        h.record = who.record;
        return h;
    }
    peer::hello_verdict greeted(peer_link&, const peer::hello&) override { return {true, {}, hello()}; }
    void came_up(peer_link&) override {}
    awaitable<bytes> requested(std::shared_ptr<peer_link>, std::string, bytes message) override {
        co_return serve(message);
    }
    void ended(peer_link&) override {}

    // As receiver::serve_range(), which knows besides whose mail it is.
    bytes serve(const bytes& message) {
        peer::fetch_reply reply;
        const auto request = peer::decode_fetch_request(message);
        if (!request || !store) return peer::encode(reply);
        std::shared_ptr<storage::cipher_reader> reader;
        for (auto it = served.begin(); it != served.end(); ++it)
            if (it->first == request->blob) {
                auto used = std::move(*it);
                served.erase(it);
                served.push_back(std::move(used));
                reader = served.back().second;
                break;
            }
        if (!reader) {
            reader = must(store->open_cipher(request->blob), "open");
            if (reader->chunks() > request->chunks) served.emplace_back(request->blob, reader);
            if (served.size() > served_blobs_open_max) served.pop_front();
        }
        auto found = must(range_of(*reader, *request), "read");
        return peer::encode(found ? *found : reply);
    }
    storage::account_store* store = nullptr;
    std::deque<std::pair<crypto::blob_id, std::shared_ptr<storage::cipher_reader>>> served;
};

using notes = std::vector<std::shared_ptr<const peer::notification>>;

struct wanted {
    notes mails;
    std::size_t next = 0, done = 0, running = 0;
};

// One after the other, as receiver::work() does; and into a store, as receiver::store_fetched() does, if there is one.
awaitable<void> fetch_all(std::shared_ptr<peer_link> link, std::shared_ptr<wanted> list, drive* into, fs::path incoming,
                          asio::thread_pool& workers, asio::io_context& io) {
    while (list->next < list->mails.size()) {
        const auto note = list->mails[list->next++];
        const auto come = must(incoming_blob::of(*note, incoming), "incoming");
        fetch_terms terms{[](std::uint64_t) { return result<void>(); }, [] { return result<void>(); }};
        auto fetching = fetch_blob(link, note, come, std::move(terms));
        must(co_await std::move(fetching), "fetch");
        if (into) {
            auto blob = std::make_shared<storage::blob_writer>(into->store->new_blob());
            auto work = [come, blob, note]() -> result<void> {
                const auto chunk = [&](std::uint64_t i) { return come->read_chunk(i); };
                if (auto r = reencrypt(*note, come->header, chunk, "Received: here\r\n", *blob); !r) return r;
                return blob->finish();
            };
            if (come->is_in_memory() && note->cipher_bytes <= reencrypt_at_once_bytes_max) {
                must(work(), "reencrypt");
            } else {
                auto written = offload(workers, std::move(work));
                must(co_await std::move(written), "reencrypt");
            }
            promise_slot<result<void>> slot(co_await asio::this_coro::executor);
            into->writer.submit("b", *into->store, into->add(blob), slot.setter());
            auto committed = slot.wait();
            must(co_await std::move(committed), "commit");
            come->remove();
        }
        ++list->done;
    }
    if (--list->running == 0) io.stop();
}

// One link over TCP and TLS, a thread for each end's network.
struct connection {
    explicit connection(storage::account_store& served)
        : acceptor(server_io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
        server.store = &served;
        const auto server_identity = must(crypto::device_identity::of(server.who.device), "certificate");
        const auto client_identity = must(crypto::device_identity::of(client.who.device), "certificate");
        server_tls = make_peer_tls(server_identity, true);
        client_tls = make_peer_tls(client_identity, false);
        asio::co_spawn(server_io, accept(), asio::detached);
        asio::co_spawn(client_io, dial(), asio::detached);
        server_thread = std::thread([this] { server_io.run(); });
        while (!asking || !asking->ready()) client_io.run_one();
    }
    ~connection() {
        asio::post(server_io, [this] { server_io.stop(); });
        server_thread.join();
    }
    awaitable<void> accept() {
        auto [ec, socket] = co_await acceptor.async_accept(as_result);
        any_stream stream(std::move(socket));
        if (co_await stream.start_tls_as_server(server_tls, std::chrono::seconds(5))) std::_Exit(4);
        peer::link_options options;
        options.peer_device = must(crypto::device_key_of_certificate(stream.peer_certificate()), "key");
        options.now = services::now_s();
        serving = std::make_shared<peer_link>(std::move(stream), options, server);
        co_await serving->run();
    }
    awaitable<void> dial() {
        tcp::socket socket(client_io);
        const tcp::endpoint to(asio::ip::address_v4::loopback(), acceptor.local_endpoint().port());
        co_await socket.async_connect(to, asio::use_awaitable);
        any_stream stream(std::move(socket));
        if (co_await stream.start_tls_as_client(client_tls, std::chrono::seconds(5))) std::_Exit(5);
        peer::link_options options;
        options.dialler = true;
        options.peer_device = must(crypto::device_key_of_certificate(stream.peer_certificate()), "key");
        options.mine = client.hello();
        options.now = services::now_s();
        asking = std::make_shared<peer_link>(std::move(stream), options, client);
        co_await asking->run();
    }
    asio::io_context server_io, client_io;
    side server, client;
    std::shared_ptr<asio::ssl::context> server_tls, client_tls;
    tcp::acceptor acceptor;
    std::shared_ptr<peer_link> serving, asking;
    std::thread server_thread;
};

// As many at a time as a receiver has. Only the fetching is timed.
void fetch(const char* step, drive& from, const notes& mails, drive* into, const fs::path& incoming) {
    fs::create_directories(incoming);
    asio::thread_pool workers(2);
    connection link(*from.store);
    auto list = std::make_shared<wanted>();
    list->mails = mails;
    const bool are_small = incoming_blob::is_small(*mails.front());
    list->running = std::min(mails.size(), are_small ? small_fetches_at_once_max : fetches_at_once_max);
    stopwatch watch;
    for (std::size_t n = list->running; n > 0; --n) {
        auto one = fetch_all(link.asking, list, into, incoming, workers, link.client_io);
        asio::co_spawn(link.client_io, std::move(one), asio::detached);
    }
    link.client_io.run();
    watch.say(step);
    if (list->done != list->mails.size()) std::_Exit(6);
    workers.join();
    fs::remove_all(incoming);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::cerr << "drive_load FOLDER FILES BYTES\n";
        return 2;
    }
    crypto::initialise();
    const auto folder = fs::path(argv[1]) / ("drive-load-" + std::to_string(::getpid()));   // nothing else is removed
    const auto files = std::stoul(argv[2]), size = std::stoul(argv[3]);
    const mails_of texts(size);
    {
        drive single(folder / "single");
        const auto few = std::max<std::size_t>(1, std::min<std::size_t>(files, files * size > (64u << 20) ? 2 : 500));
        stopwatch watch;
        write_mails(single, few, texts, 1);
        watch.say(("written one by one, " + std::to_string(few)).c_str());
    }
    drive from(folder / "from");
    {
        stopwatch watch;
        write_mails(from, files, texts, services::group_jobs_max);
        watch.say("written");
    }
    notes mails;
    for (const auto serial : from.serials) {
        const auto reader = must(from.store->open_blob(serial), "open_blob");
        auto ref = reader->ref();
        auto note = std::make_shared<peer::notification>();
        crypto::random_bytes(note->id);
        note->blob = ref.id;
        note->key = std::move(ref.key);
        note->plain_bytes = ref.plain_bytes;
        note->cipher_bytes = ref.cipher_bytes;
        mails.push_back(std::move(note));
    }
    fetch("fetched", from, mails, nullptr, folder / "incoming");
    {
        drive into(folder / "into");
        fetch("fetched and stored", from, mails, &into, folder / "incoming");
    }
    fs::remove_all(folder);
    return 0;
}
