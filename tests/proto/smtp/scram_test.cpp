// AUTH SCRAM-SHA-256 (RFC 5802, RFC 7677): the example of RFC 7677 section 3 and what goes wrong.
#include "tests/proto/smtp/player.hpp"

using player::play;
using namespace pp;

namespace {

const std::string hello = player::hello + "S: 250-AUTH PLAIN LOGIN SCRAM-SHA-256\nS: 250 HELP\n";
const std::string hello_tls =
    player::hello + "S: 250-AUTH PLAIN LOGIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS\nS: 250 HELP\n";
const std::string first = "biwsbj11c2VyLHI9ck9wck5HZndFYmVSV2diTkVrcU8=";
const std::string terms =
    "S: 334 cj1yT3ByTkdmd0ViZVJXZ2JORWtxTyVodllEcFdVYTJSYVRDQWZ1eEZJbGopaE5sRiRrMCxzPVcyMlphSjBTTlk3c29Fc1VFamI2"
    "Z1E9PSxpPTQwOTY=\n";
const std::string last =
    "C: Yz1iaXdzLHI9ck9wck5HZndFYmVSV2diTkVrcU8laHZZRHBXVWEyUmFUQ0FmdXhGSWxqKWhObEYkazAscD1kSHpiWmFwV0lrNGpVaE4r"
    "VXRlOXl0YWc5empmTUhnc3FtbWl6N0FuZFZRPQ==\n";
const std::string wrong =
    "C: Yz1iaXdzLHI9ck9wck5HZndFYmVSV2diTkVrcU8laHZZRHBXVWEyUmFUQ0FmdXhGSWxqKWhObEYkazAscD04djRvcWdoMFhKRGMxMTJp"
    "cEtQencwTFZtVFY0WUdwQjQvWWMyOGdZYThjPQ==\n";
const std::string signature = "S: 334 dj02cnJpVFJCaTIzV3BSUi93dHVwK21NaFVaVW4vZEI1bkxUSlJzamw5NUc0PQ==\n";
const std::string refused =
    "S: 535 5.7.8 login name or app password is wrong (peerpost password new makes a new one)\n";

}  // namespace

TEST_CASE("SCRAM-SHA-256 logs in, with and without an initial response", "[smtp]") {
    const auto rest = "E: scram user\n" + terms + last + "E: proof user\n" + signature + "C: \nS: 235 2.7.0 welcome\n" +
                      "C: AUTH PLAIN =\nS: 503 5.5.1 you are logged in already\n";
    play(hello + "C: AUTH SCRAM-SHA-256 " + first + "\n" + rest);
    play(hello + "C: AUTH scram-sha-256\nS: 334 \nC: " + first + "\n" + rest);
}

TEST_CASE("a wrong proof is a refused login", "[smtp]") {
    play(hello + "C: AUTH SCRAM-SHA-256 " + first + "\nE: scram user\n" + terms + wrong + "E: proof user\n" + refused +
         "C: MAIL FROM:<anna@a.alt>\nS: 530 5.7.0 log in first\n");
}

TEST_CASE("a client that does not believe our signature is not logged in", "[smtp]") {
    play(hello + "C: AUTH SCRAM-SHA-256 " + first + "\nE: scram user\n" + terms + last + "E: proof user\n" + signature +
         "C: *\nS: 501 5.7.0 login cancelled\nC: MAIL FROM:<anna@a.alt>\nS: 530 5.7.0 log in first\n");
}

TEST_CASE("SCRAM-SHA-256-PLUS on TLS; what is not bound as it was offered is refused", "[smtp]") {
    smtp::session_options tls;
    tls.tls_active = true;
    play(hello_tls +
         "C: AUTH SCRAM-SHA-256-PLUS cD10bHMtZXhwb3J0ZXIsLG49dXNlcixyPXJPcHJOR2Z3RWJlUldnYk5Fa3FP\n"
         "E: scram user tls-exporter\n" + terms +
         "C: Yz1jRDEwYkhNdFpYaHdiM0owWlhJc0xHSnBibVJwYm1jPSxyPXJPcHJOR2Z3RWJlUldnYk5Fa3FPJWh2WURwV1VhMlJhVENBZnV"
         "4RklsailoTmxGJGswLHA9dmxhVkNhWi80dEVNdnZoWENxRkJydzNtajZHSVl3MUd0SW9BUGdiK01sZz0=\n"
         "E: proof user\nS: 334 dj11QVBuY0ZxL084NzhWUjl1ckJieDJ5aHBCMGkybHV2T242T3c4Szl0VzZjPQ==\n"
         "C: \nS: 235 2.7.0 welcome\n", tls);
    play(hello_tls + "C: AUTH SCRAM-SHA-256 eSwsbj11c2VyLHI9ck9wck5HZndFYmVSV2diTkVrcU8="
    "\nS: 535 5.7.8 the channel binding does not fit\n", tls);
    play(hello + "C: AUTH SCRAM-SHA-256-PLUS cD10bHMtZXhwb3J0ZXIsLG49dXNlcixyPXJPcHJOR2Z3RWJlUldnYk5Fa3FP\n"
         "S: 504 5.5.4 the mechanisms here are PLAIN LOGIN SCRAM-SHA-256\n");
}
