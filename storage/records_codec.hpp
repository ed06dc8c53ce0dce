// The byte forms of the records that are the same in the log and in the view (storage/FORMAT.md, "Records").
#pragma once

#include "storage/codec.hpp"
#include "storage/records.hpp"

namespace pp::storage {

void encode(byte_writer& w, const mail::flags& f);
void encode(byte_writer& w, const mail::date_time& d);
void encode(byte_writer& w, const mail::uid_set& s);
void encode(byte_writer& w, const outbox_row& o);
void encode(byte_writer& w, const inbound_row& i);
void encode(byte_writer& w, const contact& c);
void encode(byte_writer& w, const invite& i);
void encode(byte_writer& w, const app_password& p);

// Each leaves r.ok() false when the bytes make no sense.
void decode(byte_reader& r, mail::flags& f);
void decode(byte_reader& r, mail::date_time& d);
void decode(byte_reader& r, mail::uid_set& s);
void decode(byte_reader& r, outbox_row& o);
void decode(byte_reader& r, inbound_row& i);
void decode(byte_reader& r, contact& c);
void decode(byte_reader& r, invite& i);
void decode(byte_reader& r, app_password& p);

// One whole record, nothing behind it.
template <class T>
std::optional<T> decode_whole(bytes_view in) {
    byte_reader r(in);
    T value;
    decode(r, value);
    if (!r.done()) return std::nullopt;
    return value;
}
template <class T>
bytes encode_whole(const T& value) {
    byte_writer w;
    encode(w, value);
    return w.take();
}

}  // namespace pp::storage
