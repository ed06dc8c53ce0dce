// What each box's error.cpp makes its category of: a name, and a sentence for each of its codes.
#pragma once

#include "crypto/error.hpp"

#include <string>

namespace pp {

// One static instance per errc; sentence(e) is a switch over all codes, nullptr for a number that is none of them.
// Boost's category has a destructor that is not virtual, on purpose: nobody deletes one. g++ warns all the same.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
template <class Errc>
class error_category final : public boost::system::error_category {
public:
    using sentences = const char* (*)(Errc);
    error_category(const char* name, sentences sentence) : name_(name), sentence_(sentence) {}

    error_code code(Errc e) const { return {static_cast<int>(e), *this}; }
    const char* name() const noexcept override { return name_; }
    std::string message(int value) const override {
        const char* text = sentence_(static_cast<Errc>(value));
        return text ? text : std::string("unknown error of ") + name_;
    }

private:
    const char* name_;
    sentences sentence_;
};
#pragma GCC diagnostic pop

}  // namespace pp
