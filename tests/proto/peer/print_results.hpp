// Lets Catch2 print results of values that cannot be printed. To be included before them.
#pragma once

#include "crypto/error.hpp"

#include <catch2/catch.hpp>

namespace Catch {
template <class T>
struct StringMaker<pp::result<T>> {
    static std::string convert(const pp::result<T>& r) { return r ? "a value" : r.error().message(); }
};
}  // namespace Catch
