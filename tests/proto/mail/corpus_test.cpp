// The mails of tests/proto/mail/corpus: each gives the BODYSTRUCTURE and ENVELOPE written beside it, whole and cut at
// every byte. Where the answers differ from Dovecot's on purpose, the reason stands in the code that gives them.
#include "proto/mail/message_index.hpp"
#include "proto/mail/part_header.hpp"
#include "proto/mail/structure_outline.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

using namespace pp::mail;

namespace {

std::string read(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    REQUIRE(file.good());
    return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::filesystem::path> corpus() {
    std::vector<std::filesystem::path> out;
    for (const auto& entry : std::filesystem::directory_iterator(PEERPOST_SOURCE_DIR "/tests/proto/mail/corpus"))
        if (entry.path().extension() == ".eml") out.push_back(entry.path());
    std::sort(out.begin(), out.end());
    REQUIRE(out.size() >= 25);
    return out;
}

std::string described(const message_index& index) {
    return "BODYSTRUCTURE " + imap_body_structure(index, true) + "\nENVELOPE " + imap_envelope(index.envelopes[0]) +
           "\n";
}

}  // namespace

TEST_CASE("the corpus gives what is written beside it") {
    for (const auto& path : corpus()) {
        INFO(path.filename().string());
        const auto index = index_message(read(path));
        CHECK(described(index) == read(std::filesystem::path(path).replace_extension(".expected")));
        CHECK(message_index::decode(index.encode()).value() == index);
    }
}

TEST_CASE("an outline of the stored index is written like the index") {
    for (const auto& path : corpus()) {
        INFO(path.filename().string());
        const auto index = index_message(read(path));
        const auto stored = index.encode();
        const auto outline = message_outline::decode(stored);
        REQUIRE(outline.has_value());
        const auto structure = decode_structure(stored);
        REQUIRE(structure.has_value());
        for (const bool extended : {false, true}) {
            for (const auto* one : {&*outline, &*structure}) {
                std::string out;
                append_body_structure(out, *one, extended, false);
                CHECK(out == imap_body_structure(index, extended));
            }
        }
        // never more than the whole decoder allows but an end
        for (std::size_t cut = 0; cut < stored.size(); cut += 1 + cut / 16) {
            const auto part = decode_structure(std::string_view(stored).substr(0, cut));
            if (part.has_value()) CHECK(part->parts == structure->parts);
        }
        std::string out;
        append_envelope(out, outline->envelopes.front(), false);
        CHECK(out == imap_envelope(index.envelopes[0]));
    }
}

TEST_CASE("the listed lines of a header stand for the whole of it") {
    const std::vector<std::vector<std::string>> asked = {
        {"FROM", "TO", "SUBJECT", "DATE"}, {"RECEIVED"}, {"SUBJECT"}, {"X-PRIORITY", "REFERENCES"}, {"LIST-ID"}};
    const auto check = [&](std::string_view mail, bool expected) {
        message_indexer indexer;
        indexer.update(mail);
        const auto index = indexer.finish();
        const auto header = mail.substr(0, static_cast<std::size_t>(index.parts[0].header_bytes));
        const auto& listed = indexer.listed_header();
        CHECK((listed.has_value() || !expected));
        for (const auto& names : asked)
            if (listed)
                CHECK(filter_header_fields(*listed, names, false) == filter_header_fields(header, names, false));
    };
    for (const auto& path : corpus()) {
        INFO(path.filename().string());
        check(read(path), false);
    }
    check("From: a\r\nX-Other: b\r\n c\r\nsubject : d\r\n\te\r\nFrom: f\r\n\r\nSubject: body\r\n", true);
    check("From: a\nX-Other: b\nSubject: bare line ends\n\nbody\n", true);
    check("From: a\r\nSubject: the end of the mail cuts it", true);
    check("Content-Type: multipart/mixed; boundary=b\r\nSubject: own\r\n\r\n--b\r\nSubject: of a part\r\n\r\nx\r\n"
          "--b--\r\n", true);
    check("Content-Type: message/rfc822\r\nSubject: own\r\n\r\nSubject: inside\r\n\r\nx\r\n", true);
    check(" Subject: begins with a fold\r\nFrom: a\r\n\r\n", false);
    check("", true);
    check("\r\nSubject: body\r\n", true);
    check("Subject: " + std::string(listed_header_bytes_max, 'x') + "\r\n\r\n", false);
    CHECK(is_listed_field("references"));
    CHECK_FALSE(is_listed_field("DKIM-Signature"));
}

TEST_CASE("the corpus gives the same index whatever the pieces") {
    std::mt19937 dice(11);
    for (const auto& path : corpus()) {
        INFO(path.filename().string());
        const auto text = read(path);
        const std::string_view mail = text;
        const auto whole = index_message(mail);
        for (std::size_t cut = 0; cut <= mail.size(); ++cut) {
            message_indexer indexer;
            indexer.update(mail.substr(0, cut));
            indexer.update(mail.substr(cut));
            if (indexer.finish() == whole) continue;
            FAIL("cut after byte " << cut);
        }
        for (int round = 0; round < 50; ++round) {
            message_indexer indexer;
            for (std::size_t at = 0; at < mail.size();) {
                const auto n = std::min<std::size_t>(dice() % 20, mail.size() - at);
                indexer.update(mail.substr(at, n));
                at += n;
            }
            REQUIRE(indexer.finish() == whole);
        }
    }
}

TEST_CASE("more parts, deeper parts and longer headers than the limits are kept as bytes") {
    std::string many = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
    for (std::size_t i = 0; i < mime_parts_max + 100; ++i) many += "--b\r\n\r\nx\r\n";
    const auto wide = index_message(many);
    CHECK(wide.parts.size() == mime_parts_max);
    CHECK(wide.parts.back().body_offset + wide.parts.back().body_bytes == many.size());
    CHECK(message_index::decode(wide.encode()).value() == wide);

    std::string deep;
    for (int i = 0; i < 200; ++i) {
        const auto name = "b" + std::to_string(1000 + i);
        deep += "Content-Type: multipart/mixed; boundary=" + name + "\r\n\r\n--" + name + "\r\n";
    }
    const auto nested = index_message(deep);
    CHECK(nested.parts.size() == mime_depth_max);
    CHECK_FALSE(nested.parts.back().is_multipart());
    CHECK(message_index::decode(nested.encode()).value() == nested);

    std::string forwarded;
    for (int i = 0; i < 200; ++i) forwarded += "Content-Type: message/rfc822\r\n\r\n";
    CHECK(index_message(forwarded).parts.size() == mime_depth_max);

    const std::string long_header = "Subject: " + std::string(header_block_bytes_max, 'x') + "\r\n" +
                                    "To: a@b\r\n\r\nbody";
    const auto cut = index_message(long_header);
    CHECK(cut.envelopes[0].subject->size() <= header_field_bytes_max);
    CHECK(cut.envelopes[0].to.empty());
    CHECK(cut.parts[0].body_bytes == 4);
}

TEST_CASE("the texts of an index together are bounded") {
    const std::string part = "--b\r\nContent-Description: " + std::string(60000, 'x') + "\r\n\r\n\r\n";
    message_indexer indexer;
    indexer.update("Content-Type: multipart/mixed; boundary=b\r\n\r\n");
    for (int i = 0; i < 500; ++i) indexer.update(part);
    const auto index = indexer.finish();
    CHECK(index.parts.size() == 501);
    CHECK(index.encode().size() < index_text_made_max + 1024 * 1024);
    CHECK(index.parts[1].description.has_value());
    CHECK_FALSE(index.parts.back().description.has_value());
}
