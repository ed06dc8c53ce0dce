// Chance for spreading retries, so that nodes do not come in step. The engine is given it as a number.
#pragma once

#include "crypto/primitives.hpp"

namespace pp::net {

inline double dice() { return static_cast<double>(crypto::random_u64() >> 11) / 9007199254740992.0; }   // [0, 1)

}  // namespace pp::net
