// X.509 (RFC 5280) by OpenSSL. Why these shapes: 06-security 6.1.2 (a local CA whose key can sign for loopback only, a
// leaf that strict clients accept) and 04-network 4.5.1 (the device certificate).
#include "crypto/certificate.hpp"

#include "crypto/raw.hpp"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace pp::crypto {

namespace {

template <auto Free>
struct free_with {
    template <class T>
    void operator()(T* object) const { Free(object); }
};
using x509_ptr = std::unique_ptr<X509, free_with<X509_free>>;
using key_ptr = std::unique_ptr<EVP_PKEY, free_with<EVP_PKEY_free>>;
using bio_ptr = std::unique_ptr<BIO, free_with<BIO_free_all>>;
using extension_ptr = std::unique_ptr<X509_EXTENSION, free_with<X509_EXTENSION_free>>;
using number_ptr = std::unique_ptr<BIGNUM, free_with<BN_free>>;

constexpr auto ca_lifetime = std::chrono::days(3652);       // ten years: longer than a mail client keeps its profile
constexpr auto clock_tolerance = std::chrono::hours(1);     // a client in a container may lag behind
constexpr std::size_t serial_bytes = 16;                    // RFC 5280 section 4.1.2.2: at most 20
constexpr std::size_t pem_bytes_max = 64 * 1024;
constexpr const char* ca_name_start = "peerpost local CA ";
constexpr const char* device_not_before = "20200101000000Z";
constexpr const char* device_not_after = "20991231235959Z";
constexpr long version_3 = 2;                               // RFC 5280 section 4.1.2.1: v3 is the number 2

// RFC 5280 section 4.2.1.10: every name outside makes the chain invalid. IP ranges are address and mask.
constexpr const char* loopback_only =
    "critical,permitted;DNS:localhost,permitted;IP:127.0.0.0/255.0.0.0,"
    "permitted;IP:::1/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
constexpr const char* loopback_names = "DNS:localhost,IP:127.0.0.1,IP:::1";

// OpenSSL's error queue is per thread: what fails here must not be found by the next TLS call.
error_code refused(errc why) {
    ERR_clear_error();
    return why;
}

bool set_random_serial(X509* certificate) {
    std::array<std::byte, serial_bytes> serial;
    random_bytes(serial);
    serial[0] = (serial[0] & std::byte{0x7f}) | std::byte{0x40};   // positive, and always of the same length
    const number_ptr number(BN_bin2bn(raw(serial), static_cast<int>(serial.size()), nullptr));
    return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool add_text(X509_NAME* name, const char* field, const std::string& text) {
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text.data()),
                                      static_cast<int>(text.size()), -1, 0) == 1;
}

bool add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const extension_ptr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_time(ASN1_TIME* field, wall_clock at) {
    return ASN1_TIME_set(field, std::chrono::system_clock::to_time_t(at)) != nullptr;
}

std::string drain(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

result<pem_pair> to_pem(X509* certificate, EVP_PKEY* key) {
    const bio_ptr public_part(BIO_new(BIO_s_mem())), secret_part(BIO_new(BIO_s_secmem()));
    if (!public_part || !secret_part || PEM_write_bio_X509(public_part.get(), certificate) != 1 ||
        PEM_write_bio_PKCS8PrivateKey(secret_part.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
        return refused(errc::library_failure);
    return pem_pair{drain(public_part.get()), drain(secret_part.get())};
}

bio_ptr reader_of(std::string_view text) {
    if (text.size() > pem_bytes_max) return nullptr;
    return bio_ptr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Never asks a terminal for the passphrase of an encrypted key.
int no_passphrase(char*, int, int, void*) { return -1; }

x509_ptr certificate_of(std::string_view pem) {
    const auto bio = reader_of(pem);
    return x509_ptr(bio ? PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr) : nullptr);
}

key_ptr private_key_of(std::string_view pem) {
    const auto bio = reader_of(pem);
    return key_ptr(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr) : nullptr);
}

key_ptr new_p256_key() { return key_ptr(EVP_EC_gen("P-256")); }

std::string random_suffix() {
    std::array<std::byte, 4> suffix;
    random_bytes(suffix);
    return hex(suffix);
}

}  // namespace

result<pem_pair> make_local_ca(wall_clock now) {
    const auto key = new_p256_key();
    const x509_ptr certificate(X509_new());
    if (!key || !certificate) return refused(errc::library_failure);
    auto* const c = certificate.get();
    // The name differs for each CA: a client that trusts two of them must not take one for the other.
    const bool made = X509_set_version(c, version_3) == 1 && set_random_serial(c) &&
                      add_text(X509_get_subject_name(c), "O", "peerpost") &&
                      add_text(X509_get_subject_name(c), "CN", ca_name_start + random_suffix()) &&
                      X509_set_issuer_name(c, X509_get_subject_name(c)) == 1 &&
                      set_time(X509_getm_notBefore(c), now - clock_tolerance) &&
                      set_time(X509_getm_notAfter(c), now + ca_lifetime) && X509_set_pubkey(c, key.get()) == 1 &&
                      add_extension(c, c, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                      add_extension(c, c, NID_key_usage, "critical,keyCertSign") &&
                      add_extension(c, c, NID_ext_key_usage, "serverAuth") &&   // and so for no mail address
                      add_extension(c, c, NID_name_constraints, loopback_only) &&
                      add_extension(c, c, NID_subject_key_identifier, "hash") &&
                      X509_sign(c, key.get(), EVP_sha256()) > 0;
    if (!made) return refused(errc::library_failure);
    return to_pem(c, key.get());
}

result<pem_pair> issue_leaf(const pem_pair& ca, wall_clock now) {
    const auto ca_certificate = certificate_of(ca.certificate_pem);
    const auto ca_key = private_key_of(ca.private_key_pem);
    if (!ca_certificate || !ca_key || X509_check_ca(ca_certificate.get()) != 1 ||
        X509_check_private_key(ca_certificate.get(), ca_key.get()) != 1)
        return refused(errc::bad_certificate);
    const auto key = new_p256_key();
    const x509_ptr certificate(X509_new());
    if (!key || !certificate) return refused(errc::library_failure);
    auto* const c = certificate.get();
    auto* const issuer = ca_certificate.get();
    const bool made = X509_set_version(c, version_3) == 1 && set_random_serial(c) &&
                      add_text(X509_get_subject_name(c), "CN", "localhost") &&
                      X509_set_issuer_name(c, X509_get_subject_name(issuer)) == 1 &&
                      set_time(X509_getm_notBefore(c), now - clock_tolerance) &&
                      set_time(X509_getm_notAfter(c), now - clock_tolerance + leaf_lifetime) &&
                      X509_set_pubkey(c, key.get()) == 1 &&
                      add_extension(c, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
                      add_extension(c, issuer, NID_key_usage, "critical,digitalSignature") &&
                      add_extension(c, issuer, NID_ext_key_usage, "serverAuth") &&
                      add_extension(c, issuer, NID_subject_alt_name, loopback_names) &&
                      add_extension(c, issuer, NID_subject_key_identifier, "hash") &&
                      add_extension(c, issuer, NID_authority_key_identifier, "keyid:always") &&
                      X509_sign(c, ca_key.get(), EVP_sha256()) > 0;
    if (!made) return refused(errc::library_failure);
    return to_pem(c, key.get());
}

bool needs_renewal(std::string_view certificate_pem, wall_clock now) {
    const auto certificate = certificate_of(certificate_pem);
    if (!certificate) {
        ERR_clear_error();
        return true;
    }
    auto soon = std::chrono::system_clock::to_time_t(now + leaf_renew_before);
    auto today = std::chrono::system_clock::to_time_t(now);
    // Also when it is not valid yet: the clock was wrong when it was made.
    return X509_cmp_time(X509_get0_notAfter(certificate.get()), &soon) <= 0 ||
           X509_cmp_time(X509_get0_notBefore(certificate.get()), &today) >= 0;
}

result<device_identity> device_identity::of(const signing_key& device) {
    const auto seed = device.seed().view();
    key_ptr key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, raw(seed), seed.size()));
    x509_ptr certificate(X509_new());
    if (!key || !certificate) return refused(errc::library_failure);
    auto* const c = certificate.get();
    // Nothing in it but the key: all nodes look alike, and one node's certificate is the same at each start.
    const bool made = X509_set_version(c, version_3) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(c), 1) == 1 &&
                      add_text(X509_get_subject_name(c), "CN", "pp") &&
                      X509_set_issuer_name(c, X509_get_subject_name(c)) == 1 &&
                      ASN1_TIME_set_string_X509(X509_getm_notBefore(c), device_not_before) == 1 &&
                      ASN1_TIME_set_string_X509(X509_getm_notAfter(c), device_not_after) == 1 &&
                      X509_set_pubkey(c, key.get()) == 1 && X509_sign(c, key.get(), nullptr) > 0;
    if (!made) return refused(errc::library_failure);
    device_identity out;
    out.certificate_ = std::move(certificate);
    out.key_ = std::move(key);
    return out;
}

result<pem_pair> make_device_certificate(const signing_key& device) {
    const auto made = device_identity::of(device);
    if (!made) return made.error();
    return to_pem(made->certificate(), made->key());
}

result<device_key> device_key_of_certificate(bytes_view der) {
    if (der.empty() || der.size() > pem_bytes_max) return errc::bad_certificate;
    const unsigned char* at = raw(der);
    const x509_ptr certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
    if (!certificate || at != raw(der) + der.size()) return refused(errc::bad_certificate);
    EVP_PKEY* const key = X509_get0_pubkey(certificate.get());
    device_key out;
    std::size_t size = out.data.size();
    if (key == nullptr || EVP_PKEY_get_base_id(key) != EVP_PKEY_ED25519 ||
        EVP_PKEY_get_raw_public_key(key, raw_out(out.data), &size) != 1 || size != out.data.size())
        return refused(errc::bad_certificate);
    return out;
}

}  // namespace pp::crypto
