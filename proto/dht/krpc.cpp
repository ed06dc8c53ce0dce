#include "proto/dht/krpc.hpp"

#include <algorithm>

namespace pp::dht {
namespace {

constexpr std::pair<method, std::string_view> method_names[] = {
    {method::ping, "ping"}, {method::find_node, "find_node"}, {method::get_peers, "get_peers"},
    {method::get, "get"}, {method::put, "put"},
};
constexpr std::string_view wanted_names[] = {"n4", "n6"};   // BEP 32, by family

constexpr std::size_t contact_bytes(family f) { return node_id::size_bytes + compact_bytes(f); }

// Gives what stands there; what stands there and is no text of min to max bytes makes the message a bad one.
class field_reader {
public:
    explicit field_reader(const bencode_value& from) : from_(from) {}
    bool failed() const { return failed_; }

    bytes_view text(std::string_view key, std::size_t least, std::size_t most) {
        const auto value = from_.find(key);
        if (!value) return {};
        const auto text = value->text();
        if (!text || text->size() < least || text->size() > most) failed_ = true;
        return failed_ ? bytes_view{} : *text;
    }
    std::optional<node_id> id(std::string_view key) {
        const auto text = this->text(key, node_id::size_bytes, node_id::size_bytes);
        if (text.empty()) return std::nullopt;
        return *node_id::from(text);
    }
    std::optional<std::int64_t> integer(std::string_view key) {
        const auto value = from_.find(key);
        if (!value) return std::nullopt;
        const auto number = value->integer();
        if (!number) failed_ = true;
        return number;
    }
    bytes_view entries(std::string_view key, std::size_t entry_bytes) {
        const auto text = this->text(key, 0, datagram_bytes_max);
        if (text.size() % entry_bytes != 0) failed_ = true;
        return failed_ ? bytes_view{} : text;
    }

private:
    const bencode_value& from_;
    bool failed_ = false;
};

void read_item(field_reader& in, const bencode_value& from, message& out) {
    out.token = in.text("token", 0, token_bytes_max);
    out.key = in.text("k", item_key::size_bytes, item_key::size_bytes);
    out.signature = in.text("sig", crypto::signature::size_bytes, crypto::signature::size_bytes);
    out.sequence = in.integer("seq");
    if (const auto value = from.find("v")) out.value = value->verbatim();
}

bool read_query(const bencode_value& root, message& out) {
    const auto name = root.text("q");
    const auto arguments = root.find("a");
    if (!name || !arguments || !arguments->is_dictionary()) return false;
    for (const auto& [known, known_name] : method_names)
        if (as_text(*name) == known_name) out.method = known;
    field_reader in(*arguments);
    const auto sender = in.id("id");
    if (!sender) return false;
    out.sender = *sender;
    out.target = in.id(out.method == method::get_peers ? "info_hash" : "target");
    out.compare = in.integer("cas");
    // One byte over the limit is let through: the answer then says what was wrong (BEP 44: 207).
    out.salt = in.text("salt", 0, datagram_bytes_max);
    if (const auto want = arguments->find("want"))
        for (const auto& item : want->items())
            for (const auto f : families)
                if (const auto text = item.text(); text && as_text(*text) == wanted_names[static_cast<std::size_t>(f)])
                    out.wanted[static_cast<std::size_t>(f)] = true;
    read_item(in, *arguments, out);
    return !in.failed();
}

bool read_reply(const bencode_value& root, message& out) {
    const auto values = root.find("r");
    if (!values || !values->is_dictionary()) return false;
    field_reader in(*values);
    const auto sender = in.id("id");
    if (!sender) return false;
    out.sender = *sender;
    out.nodes = in.entries("nodes", contact_bytes(family::ipv4));
    out.nodes6 = in.entries("nodes6", contact_bytes(family::ipv6));
    read_item(in, *values, out);
    return !in.failed();
}

bool read_error(const bencode_value& root, message& out) {
    const auto error = root.find("e");
    if (!error || !error->is_list()) return false;
    const auto items = error->items();
    if (items.empty()) return false;
    const auto code = items.front().integer();
    out.error_code = code.value_or(0);
    return code.has_value();
}

void take_contacts(bytes_view from, family f, std::vector<contact>& out) {
    const auto size = contact_bytes(f);
    for (std::size_t i = 0; i < nodes_per_reply_max && from.size() >= size; ++i, from = from.subspan(size)) {
        const contact c{*node_id::from(from.first(node_id::size_bytes)),
                        *endpoint_from_compact(from.subspan(node_id::size_bytes, compact_bytes(f)))};
        if (is_usable(c.at)) out.push_back(c);
    }
}

void write_contacts(bencode_writer& out, std::string_view key, const std::vector<contact>& nodes) {
    bytes packed;
    for (const auto& node : nodes) {
        const auto at = to_compact(node.at);
        packed.insert(packed.end(), node.id.data.begin(), node.id.data.end());
        packed.insert(packed.end(), at.begin(), at.end());
    }
    out.key(key).text(packed);
}

}  // namespace

result<message> decode_message(const bencode_document& document) {
    const auto root = document.root();
    const auto transaction = root.text("t");
    const auto kind = root.text("y");
    if (!transaction || transaction->size() > transaction_bytes_max || !kind) return errc::bad_message;
    message out;
    out.transaction = *transaction;
    out.read_only = root.integer("ro") == 1;
    if (const auto ip = root.text("ip"))
        if (const auto at = endpoint_from_compact(*ip)) out.observed = *at;
    bool good = false;
    if (as_text(*kind) == "q") {
        good = read_query(root, out);
    } else if (as_text(*kind) == "r") {
        out.kind = message_kind::reply;
        good = read_reply(root, out);
    } else if (as_text(*kind) == "e") {
        out.kind = message_kind::error;
        good = read_error(root, out);
    }
    if (!good) return errc::bad_message;
    return out;
}

std::vector<contact> contacts_of(const message& m) {
    std::vector<contact> out;
    take_contacts(m.nodes, family::ipv4, out);
    take_contacts(m.nodes6, family::ipv6, out);
    return out;
}

bytes encode_query(bytes_view transaction, const node_id& self, bool read_only, const query_fields& q) {
    bencode_writer out;
    out.dictionary().key("a").dictionary();
    // Keys in order: cas id info_hash k salt seq sig target token v want.
    if (q.compare) out.key("cas").integer(*q.compare);
    out.key("id").text(self.view());
    if (q.target && q.method == method::get_peers) out.key("info_hash").text(q.target->view());
    if (q.item) {
        out.key("k").text(q.item->key.view());
        if (!q.item->salt.empty()) out.key("salt").text(q.item->salt);
        out.key("seq").integer(q.item->sequence).key("sig").text(q.item->sig.view());
    }
    if (q.target && q.method != method::get_peers) out.key("target").text(q.target->view());
    if (!q.token.empty()) out.key("token").text(q.token);
    if (q.item) out.key("v").raw(q.item->value);
    if (q.wanted[0] || q.wanted[1]) {
        out.key("want").list();
        for (const auto f : families)
            if (q.wanted[static_cast<std::size_t>(f)]) out.text(wanted_names[static_cast<std::size_t>(f)]);
        out.end();
    }
    out.end();
    for (const auto& [known, name] : method_names)
        if (known == q.method) out.key("q").text(name);
    if (read_only) out.key("ro").integer(1);
    out.key("t").text(transaction).key("y").text("q").end();
    return out.take();
}

bytes encode_reply(bytes_view transaction, const node_id& self, const reply_fields& r) {
    bencode_writer out;
    out.dictionary();
    if (r.observed) out.key("ip").text(to_compact(*r.observed));
    out.key("r").dictionary().key("id").text(self.view());
    if (!r.key.empty()) out.key("k").text(r.key);
    if (r.with_nodes) write_contacts(out, "nodes", r.nodes);
    if (r.with_nodes6) write_contacts(out, "nodes6", r.nodes6);
    if (r.sequence) out.key("seq").integer(*r.sequence);
    if (!r.signature.empty()) out.key("sig").text(r.signature);
    if (!r.token.empty()) out.key("token").text(r.token);
    if (r.value) out.key("v").raw(*r.value);
    out.end().key("t").text(transaction).key("y").text("r").end();
    return out.take();
}

bytes encode_error(bytes_view transaction, krpc_error code, std::string_view text) {
    bencode_writer out;
    out.dictionary().key("e").list().integer(static_cast<int>(code)).text(text).end();
    out.key("t").text(transaction).key("y").text("e").end();
    return out.take();
}

}  // namespace pp::dht
