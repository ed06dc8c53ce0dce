// Certificates, checked by OpenSSL's own path validation.
#include "crypto/certificate.hpp"

#include <catch2/catch.hpp>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

using namespace pp;
using namespace pp::crypto;

namespace {

const wall_clock noon{std::chrono::seconds(1767268800)};   // 2026-01-01 12:00 UTC

struct loaded {
    X509* certificate = nullptr;
    EVP_PKEY* key = nullptr;

    explicit loaded(const pem_pair& pair) {
        BIO* bio = BIO_new_mem_buf(pair.certificate_pem.data(), static_cast<int>(pair.certificate_pem.size()));
        certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
        BIO_free(bio);
        bio = BIO_new_mem_buf(pair.private_key_pem.data(), static_cast<int>(pair.private_key_pem.size()));
        key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
        BIO_free(bio);
        REQUIRE(certificate != nullptr);
        REQUIRE(key != nullptr);
        REQUIRE(X509_check_private_key(certificate, key) == 1);
    }
    loaded(const loaded&) = delete;
    ~loaded() {
        X509_free(certificate);
        EVP_PKEY_free(key);
    }
    bytes der() const {
        unsigned char* data = nullptr;
        const int size = i2d_X509(certificate, &data);
        REQUIRE(size > 0);
        bytes out = to_bytes(std::as_bytes(std::span(data, static_cast<std::size_t>(size))));
        OPENSSL_free(data);
        return out;
    }
};

// The verdict of X509_verify_cert for a TLS server with that certificate; X509_V_OK or X509_V_ERR_...
int verdict(const loaded& leaf, const loaded& root, wall_clock at, const char* host = nullptr) {
    X509_STORE* store = X509_STORE_new();
    X509_STORE_add_cert(store, root.certificate);
    X509_STORE_CTX* context = X509_STORE_CTX_new();
    X509_STORE_CTX_init(context, store, leaf.certificate, nullptr);
    X509_VERIFY_PARAM* param = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT);
    X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER);
    X509_VERIFY_PARAM_set_time(param, std::chrono::system_clock::to_time_t(at));
    if (host != nullptr && X509_VERIFY_PARAM_set1_ip_asc(param, host) != 1)
        REQUIRE(X509_VERIFY_PARAM_set1_host(param, host, 0) == 1);
    X509_verify_cert(context);
    const int out = X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return out;
}

// What a thief of the CA's key would make: a leaf for other names.
pem_pair forged_leaf(const loaded& ca, const char* names, const char* common_name) {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* c = X509_new();
    X509_set_version(c, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(c), 77);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(common_name), -1, -1, 0);
    X509_set_issuer_name(c, X509_get_subject_name(ca.certificate));
    ASN1_TIME_set(X509_getm_notBefore(c), std::chrono::system_clock::to_time_t(noon - std::chrono::hours(1)));
    ASN1_TIME_set(X509_getm_notAfter(c), std::chrono::system_clock::to_time_t(noon + std::chrono::days(90)));
    X509_set_pubkey(c, key);
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, ca.certificate, c, nullptr, nullptr, 0);
    const auto add = [&](int nid, const char* value) {
        X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
        REQUIRE(extension != nullptr);
        X509_add_ext(c, extension, -1);
        X509_EXTENSION_free(extension);
    };
    add(NID_basic_constraints, "critical,CA:FALSE");
    add(NID_subject_key_identifier, "hash");
    add(NID_authority_key_identifier, "keyid:always");
    if (names != nullptr) add(NID_subject_alt_name, names);
    REQUIRE(X509_sign(c, ca.key, EVP_sha256()) > 0);
    BIO *certificate_out = BIO_new(BIO_s_mem()), *key_out = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(certificate_out, c);
    PEM_write_bio_PKCS8PrivateKey(key_out, key, nullptr, nullptr, 0, nullptr, nullptr);
    const auto text_of = [](BIO* bio) {
        char* data = nullptr;
        const long size = BIO_get_mem_data(bio, &data);
        std::string out(data, static_cast<std::size_t>(size));
        BIO_free(bio);
        return out;
    };
    pem_pair out{text_of(certificate_out), text_of(key_out)};
    X509_free(c);
    EVP_PKEY_free(key);
    return out;
}

}  // namespace

TEST_CASE("a leaf of the local CA is valid for loopback, and for nothing else") {
    const auto ca_pair = make_local_ca(noon).value();
    const loaded ca(ca_pair), leaf(issue_leaf(ca_pair, noon).value());
    for (const char* host : {"localhost", "127.0.0.1", "::1"}) CHECK(verdict(leaf, ca, noon, host) == X509_V_OK);
    CHECK(verdict(leaf, ca, noon, "example.com") == X509_V_ERR_HOSTNAME_MISMATCH);
    CHECK(verdict(leaf, ca, noon, "127.0.0.2") == X509_V_ERR_IP_ADDRESS_MISMATCH);
    const loaded other_ca(make_local_ca(noon).value());
    CHECK(verdict(leaf, other_ca, noon) != X509_V_OK);
}

TEST_CASE("the leaf is no CA and serves TLS only; the CA signs leaves only") {
    const auto ca_pair = make_local_ca(noon).value();
    const loaded ca(ca_pair), leaf(issue_leaf(ca_pair, noon).value());
    CHECK(X509_check_ca(leaf.certificate) == 0);
    CHECK(X509_check_ca(ca.certificate) == 1);
    CHECK(X509_get_pathlen(ca.certificate) == 0);
    CHECK(X509_get_key_usage(leaf.certificate) == KU_DIGITAL_SIGNATURE);
    CHECK(X509_get_key_usage(ca.certificate) == KU_KEY_CERT_SIGN);
    CHECK(X509_get_extended_key_usage(leaf.certificate) == XKU_SSL_SERVER);
    const int at = X509_get_ext_by_NID(ca.certificate, NID_name_constraints, -1);
    REQUIRE(at >= 0);
    CHECK(X509_EXTENSION_get_critical(X509_get_ext(ca.certificate, at)) == 1);
    for (const auto* c : {ca.certificate, leaf.certificate}) {
        const auto bits = EVP_PKEY_get_bits(X509_get0_pubkey(c));
        CHECK(bits == 256);
    }
}

TEST_CASE("the name constraints refuse what a stolen CA key would sign") {
    const auto ca_pair = make_local_ca(noon).value();
    const loaded ca(ca_pair);
    const auto says = [&](const char* names, const char* common_name) {
        return verdict(loaded(forged_leaf(ca, names, common_name)), ca, noon);
    };
    CHECK(says("DNS:localhost", "localhost") == X509_V_OK);   // the control: the forgery itself is well made
    CHECK(says("IP:127.9.9.9", "localhost") == X509_V_OK);
    CHECK(says("DNS:example.com", "localhost") == X509_V_ERR_PERMITTED_VIOLATION);
    CHECK(says("DNS:localhost,DNS:example.com", "localhost") == X509_V_ERR_PERMITTED_VIOLATION);
    CHECK(says("DNS:notlocalhost", "localhost") == X509_V_ERR_PERMITTED_VIOLATION);
    CHECK(says("IP:192.0.2.1", "localhost") == X509_V_ERR_PERMITTED_VIOLATION);
    CHECK(says("IP:128.0.0.1", "localhost") == X509_V_ERR_PERMITTED_VIOLATION);
    CHECK(says("IP:::2", "localhost") == X509_V_ERR_PERMITTED_VIOLATION);
    CHECK(says(nullptr, "example.com") == X509_V_ERR_PERMITTED_VIOLATION);
}

TEST_CASE("a leaf lives 397 days and is renewed 30 days before its end") {
    const auto ca_pair = make_local_ca(noon).value();
    const auto leaf_pair = issue_leaf(ca_pair, noon).value();
    const loaded ca(ca_pair), leaf(leaf_pair);
    using std::chrono::days;
    using std::chrono::hours;
    CHECK(verdict(leaf, ca, noon + leaf_lifetime - hours(2)) == X509_V_OK);
    CHECK(verdict(leaf, ca, noon + leaf_lifetime) == X509_V_ERR_CERT_HAS_EXPIRED);
    CHECK(verdict(leaf, ca, noon - hours(2)) == X509_V_ERR_CERT_NOT_YET_VALID);
    CHECK_FALSE(needs_renewal(leaf_pair.certificate_pem, noon));
    CHECK_FALSE(needs_renewal(leaf_pair.certificate_pem, noon + leaf_lifetime - leaf_renew_before - hours(2)));
    CHECK(needs_renewal(leaf_pair.certificate_pem, noon + leaf_lifetime - leaf_renew_before));
    CHECK(needs_renewal(leaf_pair.certificate_pem, noon + days(4000)));
    CHECK(needs_renewal(leaf_pair.certificate_pem, noon - days(1)));
    CHECK(needs_renewal("", noon));
    CHECK(needs_renewal("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", noon));
    const loaded renewed(issue_leaf(ca_pair, noon + days(370)).value());
    CHECK(verdict(renewed, ca, noon + days(700)) == X509_V_OK);
}

TEST_CASE("a leaf is issued by a CA with its own key only") {
    const auto ca = make_local_ca(noon).value(), other = make_local_ca(noon).value();
    const auto leaf = issue_leaf(ca, noon).value();
    CHECK(issue_leaf(leaf, noon).error() == errc::bad_certificate);
    CHECK(issue_leaf({ca.certificate_pem, other.private_key_pem}, noon).error() == errc::bad_certificate);
    CHECK(issue_leaf({"", ""}, noon).error() == errc::bad_certificate);
    CHECK(issue_leaf({ca.certificate_pem, "x"}, noon).error() == errc::bad_certificate);
}

TEST_CASE("a device certificate carries the device key and is the same at each start") {
    const auto device = signing_key::generate();
    const auto pair = make_device_certificate(device).value();
    CHECK(pair.certificate_pem == make_device_certificate(device).value().certificate_pem);
    const loaded made(pair);
    CHECK(X509_verify(made.certificate, made.key) == 1);
    const auto identity = device_identity::of(device).value();
    CHECK(X509_cmp(identity.certificate(), made.certificate) == 0);
    CHECK(EVP_PKEY_eq(identity.key(), made.key) == 1);
    const auto der = made.der();
    CHECK(std::ranges::equal(device_key_of_certificate(der).value().view(), device.public_key()));
    char subject[64];
    X509_NAME_oneline(X509_get_subject_name(made.certificate), subject, sizeof subject);
    CHECK(std::string(subject) == "/CN=pp");
    CHECK(ASN1_INTEGER_get(X509_get0_serialNumber(made.certificate)) == 1);
}

TEST_CASE("only an Ed25519 certificate, whole and alone, gives a device key") {
    CHECK(device_key_of_certificate(loaded(make_local_ca(noon).value()).der()).error() == errc::bad_certificate);
    const auto der = loaded(make_device_certificate(signing_key::generate()).value()).der();
    for (std::size_t cut = 0; cut < der.size(); ++cut)
        CHECK(device_key_of_certificate(bytes_view(der).first(cut)).error() == errc::bad_certificate);
    auto longer = der;
    longer.push_back(std::byte{0});
    CHECK(device_key_of_certificate(longer).error() == errc::bad_certificate);
}
