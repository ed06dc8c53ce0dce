#include "proto/dht/item.hpp"

#include "proto/dht/bencode.hpp"

namespace pp::dht {

node_id target_of(const item_key& key, bytes_view salt) { return to_id(crypto::sha1({key.view(), salt})); }
node_id target_of_immutable(bytes_view value) { return to_id(crypto::sha1({value})); }

bytes signed_part(bytes_view salt, std::int64_t sequence, bytes_view value) {
    bencode_writer out;   // the inside of a dictionary
    if (!salt.empty()) out.text("salt").text(salt);
    out.text("seq").integer(sequence).text("v").raw(value);
    return out.take();
}

result<void> verify(const mutable_item& item) {
    if (item.salt.size() > salt_bytes_max || item.value.size() > value_bytes_max) return errc::bad_item;
    if (!bencode_document::parse(item.value)) return errc::bad_item;
    if (!crypto::verify(item.key.view(), signed_part(item.salt, item.sequence, item.value), item.sig))
        return errc::bad_signature;
    return {};
}

}  // namespace pp::dht
