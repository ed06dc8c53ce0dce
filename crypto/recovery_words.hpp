// 24 words of the usual list of 2048 (BIP-39): 256 bit of the account seed and 8 bit of checksum.
#pragma once

#include "crypto/keys.hpp"

namespace pp::crypto {

std::string recovery_words(const account_seed& seed);                       // 24 words, one blank between
// Takes any white space and case. errc::bad_text names no word; errc::bad_checksum when a word is wrong but known.
result<account_seed> parse_recovery_words(std::string_view words);
std::string_view recovery_word(std::size_t index);                          // the list itself, index < 2048

}  // namespace pp::crypto
