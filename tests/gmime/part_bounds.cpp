// Where the leaves of mails lie, as GMime finds them ("G path offset bytes") and as our indexer does ("P ..."): one
// line per leaf, a "F name" line before each mail. tests/system/gmime_bounds_test.py compares. A second opinion from a
// parser that shares no idea with ours; built only where GMime is installed.
//
//     part_bounds FILE...
#include "proto/mail/message_index.hpp"

#include <gmime/gmime.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

namespace {

void print(char who, const std::string& path, long long offset, long long bytes) {
    std::printf("%c %s %lld %lld\n", who, path.empty() ? "-" : path.c_str(), offset, bytes);
}

std::string below(const std::string& path, int n) { return path + (path.empty() ? "" : ".") + std::to_string(n); }

void walk(GMimeObject* part, const std::string& path) {
    if (GMIME_IS_MULTIPART(part)) {
        auto* multipart = GMIME_MULTIPART(part);
        for (int i = 0; i < g_mime_multipart_get_count(multipart); ++i)
            walk(g_mime_multipart_get_part(multipart, i), below(path, i + 1));
    } else if (GMIME_IS_MESSAGE_PART(part)) {
        if (auto* message = g_mime_message_part_get_message(GMIME_MESSAGE_PART(part)))
            walk(g_mime_message_get_mime_part(message), below(path, 1));
    } else if (GMIME_IS_PART(part)) {
        auto* content = g_mime_part_get_content(GMIME_PART(part));
        if (content == nullptr) return;
        const auto* stream = g_mime_data_wrapper_get_stream(content);
        print('G', path, stream->bound_start, stream->bound_end - stream->bound_start);
    }
}

void walk(const pp::mail::message_index& index, std::size_t number, const std::string& path) {
    const auto& part = index.parts[number];
    if (part.children.empty()) {
        print('P', path, static_cast<long long>(part.body_offset), static_cast<long long>(part.body_bytes));
        return;
    }
    int n = 0;
    for (const auto child : part.children) walk(index, static_cast<std::size_t>(child), below(path, ++n));
}

}  // namespace

int main(int argc, char** argv) {
    g_mime_init();
    for (int i = 1; i < argc; ++i) {
        std::ifstream file(argv[i], std::ios::binary);
        const std::string mail((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
        std::printf("F %s\n", argv[i]);
        walk(pp::mail::index_message(mail), 0, "");

        auto* stream = g_mime_stream_mem_new_with_buffer(mail.data(), mail.size());
        auto* parser = g_mime_parser_new_with_stream(stream);
        g_mime_parser_set_persist_stream(parser, TRUE);   // contents stay ranges of the stream
        if (auto* message = g_mime_parser_construct_message(parser, nullptr)) {
            if (auto* part = g_mime_message_get_mime_part(message)) walk(part, "");
            g_object_unref(message);
        }
        g_object_unref(parser);
        g_object_unref(stream);
    }
    g_mime_shutdown();
    return 0;
}
