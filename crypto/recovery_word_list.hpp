// The 2048 words that recovery phrases are made of; sorted, so that a word is found by binary search.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace pp::crypto {

inline constexpr std::size_t recovery_list_words = 2048;   // 11 bits a word
extern const std::array<std::string_view, recovery_list_words> recovery_word_list;

}  // namespace pp::crypto
