// The DHT box with hostile bytes. First byte: which decoder, or a whole node.
//   0 bencoding: what is taken is written back to the same bytes   1 messages   2 fields of a record
//   3 a record's value as it comes, and with the input behind its seal: see sealed_content()
//   4 a saved table: loaded and saved again it is the same   5 a node: see play()
#include "proto/dht/bencode.hpp"
#include "proto/dht/node.hpp"
#include "proto/dht/record.hpp"
#include "proto/wire/byte_writer.hpp"

#include <algorithm>
#include <cstdlib>

using namespace pp;
using namespace pp::dht;

namespace {

void write_again(bencode_writer& out, const bencode_value& value);

// By way of find(), which must agree with the order in which the keys stand.
void write_dictionary(bencode_writer& out, const bencode_value& value) {
    // The inside of a dictionary is that of a list of keys and values.
    auto as_list = to_bytes(value.verbatim());
    as_list.front() = std::byte{'l'};
    const auto list = bencode_document::parse(as_list);
    if (!list) std::abort();
    const auto items = list->root().items();
    if (items.size() % 2 != 0) std::abort();
    out.dictionary();
    for (std::size_t i = 0; i < items.size(); i += 2) {
        const auto key = as_text(*items[i].text());
        const auto found = value.find(key);
        if (!found || !std::ranges::equal(found->verbatim(), items[i + 1].verbatim())) std::abort();
        out.key(key);
        write_again(out, *found);
    }
    out.end();
}

void write_again(bencode_writer& out, const bencode_value& value) {
    if (const auto text = value.text()) {
        out.text(*text);
    } else if (const auto number = value.integer()) {
        out.integer(*number);
    } else if (value.is_list()) {
        out.list();
        for (const auto& item : value.items()) write_again(out, item);
        out.end();
    } else {
        write_dictionary(out, value);
    }
}

void bencoding(bytes_view wire) {
    const auto document = bencode_document::parse(wire);
    if (!document) return;
    bencode_writer out;
    write_again(out, document->root());
    if (!std::ranges::equal(out.take(), wire)) std::abort();
}

void messages(bytes_view wire) {
    const auto document = bencode_document::parse(wire);
    if (!document) return;
    const auto m = decode_message(*document);
    if (!m) return;
    if (contacts_of(*m).size() > 2 * nodes_per_reply_max || m->transaction.size() > transaction_bytes_max) std::abort();
    if (m->value && !bencode_document::parse(*m->value)) std::abort();
}

void fields(bytes_view wire) {
    const auto r = decode_fields(wire);
    if (!r) return;
    const auto again = encode_fields(*r);
    if (*decode_fields(again) != *r) std::abort();
}

// Whoever knows an account's key can seal a value for its place (SPEC.md, "Record"): this is what he puts behind the
// seal. First byte: 1 signed by the owner, 2 filled up to a size of the format, 4 a device's record, 8 read too late.
void sealed_content(bytes_view input) {
    if (input.empty()) return;
    const auto how = std::to_integer<unsigned>(input.front());
    const auto fields = input.subspan(1);
    static const crypto::signing_key account{crypto::ed25519_seed()};
    static const crypto::signing_key device{*crypto::ed25519_seed::from(bytes(32, std::byte{1}))};
    record_place place;
    place.account = *account_key::from(account.public_key());
    place.day = 20000;
    if (how & 4) place.device = *device_key::from(device.public_key());
    const auto key = *key_of(place);
    const auto salt = salt_of(place);

    wire::byte_writer content;
    content.raw(fields);
    if (how & 1) {
        wire::byte_writer text;
        text.raw(std::string_view("peerpost discovery record v1")).u8(0).fixed(key);
        text.u8(static_cast<std::uint8_t>(salt.size())).raw(salt).raw(fields);
        const auto sig = (how & 4 ? device : account).sign(text.view());
        content.u8(0x7f).u8(crypto::signature::size_bytes).fixed(sig);
    }
    for (const auto size : record_sizes)
        if ((how & 2) && content.size() <= size) {
            content.zeros(size - content.size());
            break;
        }
    const auto purpose = wire::byte_writer().raw(std::string_view("peerpost discovery value v1")).u8(0).u64(place.day);
    const auto row_key = crypto::derive<crypto::row_key>(place.account.view(), as_text(purpose.view()));
    const auto about = wire::byte_writer().u8(1).fixed(key).raw(salt).take();
    const auto sealed = wire::byte_writer().u8(1).raw(crypto::seal_row(row_key, about, content.view())).take();
    const auto value = bencode_writer().text(sealed).take();

    const auto opened = open_record(value, place, how & 8 ? unix_s{1} << 60 : 0);
    if (!opened && opened.error() == errc::not_for_us) std::abort();   // the seal is right: the test means what it says
    const auto decoded = decode_fields(fields);
    if (opened && ((how & 1) == 0 || (how & 8) || !decoded || *opened != *decoded)) std::abort();
    const bool filled = std::ranges::find(record_sizes, content.size()) != std::end(record_sizes);
    const bool one_end = std::ranges::find(fields, std::byte{0x7f}) == fields.end();   // unknown fields
    if ((how & 9) == 1 && filled && one_end && decoded && !opened) std::abort();
}

endpoint address_of(unsigned number) {
    endpoint out;
    out.address = {std::byte{10}, std::byte{1}, std::byte{0}, static_cast<std::byte>(number)};
    out.port = 6881;
    return out;
}

node::settings settings() {
    node::settings out;
    out.kind = network::closed;
    out.reachable = true;
    return out;   // a seed of zeros: every run is the same
}

void saved_table(bytes_view wire) {
    node a(settings(), {}), b(settings(), {});
    if (!a.load(wire)) return;
    const auto saved = a.save();
    if (!b.load(saved) || b.save().size() != saved.size()) std::abort();
}

// Steps: a byte what, then its arguments.
//   0 n: n * 16 ms pass                      1 a, n, data: address a sends n bytes, "TTTT" in them replaced by the
//   2: a get    3: a put                       transaction of the latest question to that address
void play(bytes_view steps) {
    wire::time_point now{};
    node machine(settings(), now);
    for (unsigned i = 1; i <= 3; ++i) machine.add_bootstrap(address_of(i));
    const crypto::signing_key signer{crypto::ed25519_seed()};
    mutable_item item;
    item.key = *item_key::from(signer.public_key());
    item.sequence = 5;
    item.value = to_bytes("4:five");
    item.sig = signer.sign(signed_part({}, item.sequence, item.value));
    std::map<endpoint, bytes> asked;

    const auto take = [&](std::size_t n) {
        const auto out = steps.first(std::min(n, steps.size()));
        steps = steps.subspan(out.size());
        return out;
    };
    const auto number = [&] { const auto b = take(1); return b.empty() ? 0u : std::to_integer<unsigned>(b[0]); };
    const auto drain = [&] {
        while (const auto d = machine.next_datagram()) {
            if (d->data.size() > answer_bytes_max || !is_usable(d->to)) std::abort();
            const auto document = bencode_document::parse(d->data);   // what we say, we understand
            if (!document || !decode_message(*document)) std::abort();
            if (asked.size() < 64) asked[d->to] = to_bytes(*document->root().text("t"));
        }
        while (const auto e = machine.next_event())
            if (const auto* got = std::get_if<get_finished>(&*e); got && got->item && !verify(*got->item)) std::abort();
    };
    for (int step = 0; step < 64 && !steps.empty(); ++step) {
        switch (number() % 4) {
        case 0: {
            const auto end = now + milliseconds(16) * number();
            while (machine.deadline() && *machine.deadline() <= end) {
                now = std::max(now, *machine.deadline());
                machine.tick(now);
                if (machine.deadline() && *machine.deadline() <= now) std::abort();   // it would never rest
                drain();
            }
            now = end;
            break;
        }
        case 1: {
            const auto from = address_of(number() % 8);
            auto data = to_bytes(take(number()));
            const auto place = as_text(data).find("TTTT");
            if (const auto known = asked.find(from); place != std::string_view::npos && known != asked.end())
                std::copy_n(known->second.begin(), std::min<std::size_t>(4, known->second.size()),
                            data.begin() + static_cast<std::ptrdiff_t>(place));
            machine.received(from, data, now);
            break;
        }
        case 2: (void)machine.get(item.key, {}, now); break;
        default: (void)machine.put(item, std::nullopt, now); break;
        }
        drain();
        if (machine.open_operations() > operations_max + 2 || machine.known_nodes(family::ipv4) > 64) std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto wire = std::as_bytes(std::span(data + 1, size - 1));
    switch (data[0] % 6) {
    case 0: bencoding(wire); break;
    case 1: messages(wire); break;
    case 2: fields(wire); break;
    case 3: {
        record_place place;
        place.account.data.fill(std::byte{1});
        (void)open_record(wire, place, 0);
        place.account = *account_key::from(crypto::signing_key(crypto::ed25519_seed()).public_key());
        if (open_record(wire, place, 0)) std::abort();   // sealed by nobody
        sealed_content(wire);
        break;
    }
    case 4: saved_table(wire); break;
    default: play(wire);
    }
    return 0;
}
