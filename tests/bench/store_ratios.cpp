// The store against the raw limits of the machine, in one run (03-storage 3.11): a measurement, by hand, never a test.
//
//     store_ratios [FOLDER [MAILS]]        a folder on the disk to be measured; 20 000 mails unless told otherwise
//
// Each line: what, ours, the raw limit, their ratio, the target. Raw limits are taken next to ours, several rounds in
// turn, the median of each: other work on the machine then disturbs both.
#include "crypto/blob_cipher.hpp"
#include "storage/account_store.hpp"
#include "storage/durable.hpp"
#include "storage/store_state.hpp"
#include "storage/txn.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <unistd.h>

using namespace pp;
using namespace pp::storage;
namespace fs = std::filesystem;
namespace dur = pp::storage::durable;

namespace {

constexpr std::size_t small_mail_bytes = 4096;
constexpr int rounds = 5;

template <class T>
T must(result<T> r) {
    if (!r) {
        std::fprintf(stderr, "%s\n", r.error().message().c_str());
        std::exit(1);
    }
    if constexpr (!std::is_void_v<T>) return std::move(*r);
}

double seconds(const std::function<void()>& work) {
    const auto begun = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}
double median(std::vector<double> v) {
    std::sort(v.begin(), v.end());
    return v[v.size() / 2];
}
void line(const char* what, double ours, double limit, const char* unit, double target, bool less_is_better = false) {
    const double ratio = ours / limit;
    const bool good = less_is_better ? ratio <= target : ratio >= target;
    std::printf("%-44s %12.2f %12.2f %-9s %6.2f %s %s %.2f\n", what, ours, limit, unit, ratio, good ? " " : "<",
                less_is_better ? "at most" : "at least", target);
    std::fflush(stdout);
}

std::string mail_text(std::uint64_t n, std::size_t size) {
    std::mt19937_64 dice(n);
    const auto number = std::to_string(n), unique = number + "." + std::to_string(dice());
    std::string out = "From: Ann Example <ann" + std::to_string(n % 500) + "@example.org>\r\n"
                      "To: Bob Example <bob@example.net>, list@example.org\r\n"
                      "Subject: the river and the garden " + number + "\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n"
                      "Message-ID: <" + unique + "@example.org>\r\nMIME-Version: 1.0\r\n"
                      "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n";
    while (out.size() < size) out += std::to_string(dice()) + " words of a mail that is like others\r\n";
    out.resize(size);
    return out;
}

class bench {
public:
    bench(const fs::path& folder, std::size_t mails) : folder_(folder), mails_(mails) {
        store_ = must(account_store::create(folder_ / "account", keys_.clone()));
        while (store_->housekeeping()) {}
        inbox_ = store_->read([](const read_txn& t) { return t.find_mailbox("INBOX").value().value().id; });
    }

    void run() {
        for (const std::size_t group : {1u, 64u}) durable_appends(group);
        bulk_import();
        attachments();
        rows_of_flags();
        compactness();
        recovery();
    }

private:
    // Mails as one group; the last step of a delivery, with the encryption before it.
    void add_group(std::size_t n) {
        std::vector<blob_writer> blobs;
        std::vector<account_store::job> jobs;
        blobs.reserve(n);
        for (std::size_t i = 0; i < n; ++i) {
            blobs.push_back(store_->new_blob());
            must(blobs.back().write(pp::as_bytes(texts_[next_++ % texts_.size()])));
            must(blobs.back().finish());
            jobs.push_back([this, &blob = blobs.back(), id = next_](write_txn& t) -> result<void> {
                const auto p = t.add_mail({inbox_, {}, {1700000000, 60}, std::to_string(id) + "@example.org"}, blob);
                return p ? result<void>() : result<void>(p.error());
            });
        }
        for (const auto& r : store_->write(jobs)) must(r);
        if (store_->unsettled_bytes() > 4 * 1024 * 1024) must(store_->settle());
    }

    // The same bytes written over a file of zeros, and synced, as often.
    void durable_appends(std::size_t group) {
        const int commits = group == 1 ? 400 : 60;
        const auto raw = zeros("raw", commits * (group * small_mail_bytes + 4096));
        const bytes piece(group * small_mail_bytes, std::byte{7});
        std::vector<double> ours, limit;
        for (int round = 0; round < rounds; ++round) {
            ours.push_back(seconds([&] { for (int i = 0; i < commits; ++i) add_group(group); }));
            limit.push_back(seconds([&] {
                for (int i = 0; i < commits; ++i) {
                    must(raw.write_at(static_cast<std::uint64_t>(i) * piece.size(), piece));
                    must(raw.sync());
                }
            }));
            while (store_->housekeeping()) {}
        }
        const auto n = static_cast<double>(commits) * static_cast<double>(group);
        line(group == 1 ? "durable APPEND, 1 client, 4 KiB" : "durable APPEND, 64 in flight", n / median(ours),
             n / median(limit), "mails/s", group == 1 ? 0.45 : 0.6);
    }

    void bulk_import() {
        constexpr std::size_t group = 256;
        const std::size_t groups = mails_ / group / rounds;
        std::vector<double> ours, limit;
        const bytes piece(1 << 20, std::byte{7});
        for (int round = 0; round < rounds; ++round) {
            ours.push_back(seconds([&] {
                for (std::size_t i = 0; i < groups; ++i) add_group(group);
                must(store_->settle());
            }));
            limit.push_back(seconds([&] { sequential(groups * group * small_mail_bytes, piece); }));
        }
        const auto mb = static_cast<double>(groups * group * small_mail_bytes) / 1e6;
        line("bulk import, groups of 256", mb / median(ours), mb / median(limit), "MB/s", 0.5);
    }

    void attachments() {
        constexpr std::size_t size = 64 << 20;
        const bytes piece(64 * 1024, std::byte{9}), large(1 << 20, std::byte{9});
        std::vector<double> ours, disk, chain, read, plain_read;
        std::uint64_t serial = 0;
        write_plain_blob(size, piece);
        for (int round = 0; round < rounds; ++round) {
            ours.push_back(seconds([&] {
                auto blob = store_->new_blob();
                for (std::size_t at = 0; at < size; at += piece.size()) must(blob.write(piece));
                must(blob.finish());
                account_store::job add = [&](write_txn& t) -> result<void> {
                    const auto p = t.add_mail({inbox_, {}, {1700000000, 60}, ""}, blob);
                    if (!p) return p.error();
                    serial = p->mail_serial;
                    return {};
                };
                must(store_->write({&add, 1}).front());
            }));
            disk.push_back(seconds([&] { sequential(size, large); }));
            chain.push_back(seconds([&] { encrypt_and_hash(size, piece); }));
            bytes out(64 * 1024);
            read.push_back(seconds([&] {
                const auto reader = must(store_->open_blob(serial));
                for (std::size_t at = 0; at < size; at += out.size()) must(reader->read(at, out));
            }));
            plain_read.push_back(seconds([&] { read_and_decrypt(size, piece); }));
        }
        const auto mb = static_cast<double>(size) / 1e6;
        line("attachment write, against the disk", mb / median(ours), mb / median(disk), "MB/s", 0.8);
        line("attachment write, against encrypt and hash", mb / median(ours), mb / median(chain), "MB/s", 0.75);
        line("attachment read, against read and decrypt", mb / median(read), mb / median(plain_read), "MB/s", 0.7);
    }

    void rows_of_flags() {
        must(store_->settle());
        store_.reset();
        const store_secrets secrets(keys_.clone());
        {
            auto env = must(
                view_env::open(folder_ / "account" / "view", secrets.view, secrets.shred_check, 4ull << 30, false));
            auto txn = must(open_txn::begin(*env, nullptr, MDB_RDONLY));
            const rows r(*env, txn.get());
            std::mt19937 dice(3);
            std::vector<row_name> keys;
            for (int i = 0; i < 100'000; ++i)
                keys.push_back(view::message_key(inbox_, static_cast<std::uint32_t>(1 + dice() % mails_)));
            std::vector<double> ours, limit;
            for (int round = 0; round < rounds; ++round) {
                ours.push_back(seconds([&] { for (const auto& k : keys) must(r.get(table::msg, k.view())); }));
                limit.push_back(seconds([&] {
                    for (const auto& k : keys) {
                        MDB_val key{k.view().size(), const_cast<std::byte*>(k.view().data())}, value;
                        (void)mdb_get(txn.get(), env->dbi(table::msg), &key, &value);
                    }
                }));
            }
            line("flag-row get and decrypt, against LMDB's get", 1e5 / median(ours), 1e5 / median(limit), "per s",
                 0.28);
        }
        reopen();
    }

    // What the view's file is larger than what it says: keys and rows as they are before padding and sealing.
    void compactness() {
        must(store_->settle());
        store_.reset();
        const store_secrets secrets(keys_.clone());
        double said = 0, used = 0, mails = 0;
        {
            auto env = must(
                view_env::open(folder_ / "account" / "view", secrets.view, secrets.shred_check, 4ull << 30, false));
            auto txn = must(open_txn::begin(*env, nullptr, MDB_RDONLY));
            const rows r(*env, txn.get());
            for (std::size_t t = 0; t < table_count; ++t) {
                if (static_cast<table>(t) == table::fts || static_cast<table>(t) == table::meta) continue;
                MDB_stat s;
                mdb_stat(txn.get(), env->dbi(static_cast<table>(t)), &s);
                used += static_cast<double>(s.ms_branch_pages + s.ms_leaf_pages + s.ms_overflow_pages) * s.ms_psize;
                const bool keys_only = static_cast<table>(t) == table::mod || static_cast<table>(t) == table::msgid ||
                                       static_cast<table>(t) == table::doc || static_cast<table>(t) == table::out_ref;
                if (keys_only) {
                    must(r.each_key(static_cast<table>(t), {}, {}, [&](bytes_view key) -> result<bool> {
                        said += static_cast<double>(key.size());
                        return true;
                    }));
                    continue;
                }
                must(r.each(static_cast<table>(t), {}, {}, [&](bytes_view key, bytes_view plain) -> result<bool> {
                    said += static_cast<double>(key.size() + plain.size());
                    mails += static_cast<table>(t) == table::blob;
                    return true;
                }));
            }
        }
        line("index bytes per message, against its plaintext", used / mails, said / mails, "B", 1.7, true);
        reopen();
    }

    // The view as it was before some groups, the log with them: what a start after a crash has to do.
    void recovery() {
        must(store_->settle());
        store_.reset();
        const auto view = folder_ / "account" / "view", kept = folder_ / "view.kept";
        fs::copy_file(view, kept);
        reopen();
        const auto log_bytes = [&] {
            std::uintmax_t n = 0;
            for (const auto& f : fs::recursive_directory_iterator(folder_ / "account" / "log"))
                if (f.is_regular_file()) n += f.file_size();
            return n;
        };
        const auto tail = std::min<std::size_t>(mails_, 10'000) / 64 * 64;
        const auto before = blob_bytes();
        for (std::size_t i = 0; i < tail; i += 64) add_group(64);
        const auto written = blob_bytes() - before;
        store_.reset();
        fs::copy_file(kept, view, fs::copy_options::overwrite_existing);
        fs::remove(folder_ / "account" / "view.clean");
        const auto took = seconds([&] { reopen(); });
        std::printf("%-44s %12.2f s for %zu mails, %.0f entries/s; log %.1f MB\n", "start after a crash", took, tail,
                    static_cast<double>(tail) / took, static_cast<double>(log_bytes()) / 1e6);
        std::printf("%-44s %12.2f B per mail of %zu B as encrypted\n", "blob in the log",
                    static_cast<double>(written) / static_cast<double>(tail), small_mail_bytes);
        store_.reset();
        const auto open = seconds([&] { reopen(); });
        std::printf("%-44s %12.2f ms with %.0f mails\n", "open after a clean stop, page cache warm", open * 1e3,
                    static_cast<double>(next_));
    }

    void reopen() {
        recovery_report report;
        store_ = must(account_store::open(folder_ / "account", keys_.clone(), report));
    }
    std::uint64_t blob_bytes() {
        return store_->read([](const read_txn& t) { return t.blob_bytes().value(); });
    }
    dur::file zeros(const char* name, std::size_t size) {
        auto f = must(dur::open_file(folder_ / name, dur::mode::create_or_truncate));
        const bytes piece(1 << 20);
        for (std::size_t at = 0; at < size; at += piece.size()) must(f.write_at(at, piece));
        must(f.sync());
        return f;
    }
    void sequential(std::size_t size, const bytes& piece) {
        auto f = must(dur::open_file(folder_ / "sequential", dur::mode::create_or_truncate));
        for (std::size_t at = 0; at < size; at += piece.size()) must(f.write_at(at, piece));
        must(f.sync());
    }
    void encrypt_and_hash(std::size_t size, const bytes& piece) {
        crypto::blob_encryptor e(key_);
        bytes out;
        for (std::size_t at = 0; at < size; at += piece.size()) {
            e.update(piece, out);
            out.clear();
        }
    }
    // The chain of a verified read and nothing else: a chunk out of the page cache, its tag, its plaintext.
    void write_plain_blob(std::size_t size, const bytes& piece) {
        crypto::blob_encryptor e(key_);
        plain_blob_ = must(dur::open_file(folder_ / "plain_blob", dur::mode::create_or_truncate));
        bytes out;
        for (std::size_t at = 0; at < size; at += piece.size()) {
            e.update(piece, out);
            must(plain_blob_.write_at(cipher_bytes_, out));
            cipher_bytes_ += out.size();
            out.clear();
        }
        e.finish(out);
        must(plain_blob_.write_at(cipher_bytes_, out));
        cipher_bytes_ += out.size();
        header_ = e.header();
    }
    void read_and_decrypt(std::size_t size, const bytes& piece) {
        auto opened = crypto::blob_decryptor::open(key_, header_, cipher_bytes_);
        if (!opened) std::exit(1);
        bytes chunk(crypto::chunk_cipher_bytes), plain;
        for (std::uint64_t i = 0; i < size / piece.size(); ++i) {
            const auto n = must(plain_blob_.read_at(i * chunk.size(), chunk));
            if (!opened->decrypt(i, bytes_view(chunk).first(n), plain)) std::exit(1);
        }
    }

    const fs::path folder_;
    const std::size_t mails_;
    account_keys keys_ = account_keys::generate();
    crypto::blob_key key_ = crypto::random<crypto::blob_key>();
    crypto::blob_header header_{};
    std::uint64_t cipher_bytes_ = 0;
    dur::file plain_blob_;
    std::unique_ptr<account_store> store_;
    mailbox_id inbox_ = 0;
    std::uint64_t next_ = 0;
    std::vector<std::string> texts_ = [] {
        std::vector<std::string> out;
        for (std::uint64_t n = 0; n < 1024; ++n) out.push_back(mail_text(n, small_mail_bytes));
        return out;
    }();
};

}  // namespace

int main(int argc, char** argv) {
    crypto::initialise();
    const auto folder = fs::path(argc > 1 ? argv[1] : "/tmp") / ("store-ratios-" + std::to_string(::getpid()));
    fs::create_directories(folder);
    std::printf("%-44s %12s %12s\n", "", "ours", "raw limit");
    bench(folder, argc > 2 ? static_cast<std::size_t>(std::atol(argv[2])) : 20'000).run();
    fs::remove_all(folder);
}
