// Bencoding (BEP 3, "bencoding") of hostile datagrams: a flat list of what stands in them, with views into the bytes
// they came from. Strict: one form only (no leading zeros, no -0, dictionary keys in order and once), nothing after the
// value. Bounded: bencode_depth_max, bencode_nodes_max; no recursion.
#pragma once

#include "proto/dht/error.hpp"
#include "proto/dht/limits.hpp"

#include "crypto/bytes.hpp"

#include <optional>
#include <vector>

namespace pp::dht {

class bencode_value;

// Valid as long as the bytes it was made from.
class bencode_document {
public:
    static result<bencode_document> parse(bytes_view in);
    bencode_value root() const;

private:
    friend class bencode_value;
    enum class kind : std::uint8_t { text, integer, list, dictionary };
    struct node {
        kind what;
        std::uint32_t begin, end;     // verbatim, in bytes_
        std::uint32_t text_begin;     // of a text: after its colon
        std::uint32_t after;          // index of the first node that is not inside this one
        std::int64_t number;
    };
    bytes_view bytes_;
    std::vector<node> nodes_;
};

// One value inside a document. Asking for what it is not gives nothing, so that a decoder reads straight through.
class bencode_value {
public:
    std::optional<bytes_view> text() const;
    std::optional<std::int64_t> integer() const;
    bool is_dictionary() const;
    bool is_list() const;
    std::vector<bencode_value> items() const;                           // of a list
    std::optional<bencode_value> find(std::string_view key) const;      // in a dictionary
    // Texts and integers of a dictionary, in one step.
    std::optional<bytes_view> text(std::string_view key) const;
    std::optional<std::int64_t> integer(std::string_view key) const;
    bytes_view verbatim() const;                                        // the bytes as they came: what is signed

private:
    friend class bencode_document;
    bencode_value(const bencode_document* document, std::size_t at) : document_(document), at_(at) {}
    const bencode_document::node& self() const { return document_->nodes_[at_]; }

    const bencode_document* document_;
    std::size_t at_;
};

// Writes; whoever writes a dictionary gives its keys in order (asserted).
class bencode_writer {
public:
    bencode_writer& dictionary();
    bencode_writer& list();
    bencode_writer& end();
    bencode_writer& key(std::string_view name);
    bencode_writer& text(bytes_view value);
    bencode_writer& text(std::string_view value) { return text(as_bytes(value)); }
    bencode_writer& integer(std::int64_t value);
    bencode_writer& raw(bytes_view bencoded);      // a value that is bencoded already
    std::size_t size() const { return out_.size(); }
    bytes take();                                  // everything is ended

private:
    void add(std::string_view text);
    bytes out_;
    std::vector<std::optional<std::string>> last_keys_;   // of the open dictionaries; nothing yet, or of a list
};

}  // namespace pp::dht
