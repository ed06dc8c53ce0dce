// The spellings of "go on or hand the error up" (result<T> has no operator for it).
#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

namespace pp::storage {

// An error on its way up, for any result<T>. Needed for result<bool>, to which an error_code is ambiguous: it converts
// to bool as well.
struct failure {
    boost::system::error_code code;
    template <class T>
    operator boost::system::result<T>() const {
        return boost::system::result<T>(boost::system::in_place_error, code);
    }
};

}  // namespace pp::storage

#define PP_JOIN_(a, b) a##b
#define PP_JOIN(a, b) PP_JOIN_(a, b)

// Returns the error of a result<...>, or goes on.
#define PP_TRY(expression) PP_TRY_(PP_JOIN(attempt_, __COUNTER__), expression)
#define PP_TRY_(name, expression)                                                  \
    do {                                                                           \
        if (auto name = (expression); !name) return ::pp::storage::failure{name.error()}; \
    } while (0)

// Declares or assigns `target` with the value of a result<T>, or returns its error.
#define PP_LET(target, expression) PP_LET_(PP_JOIN(attempt_, __COUNTER__), target, expression)
#define PP_LET_(name, target, expression)                          \
    auto name = (expression);                                      \
    if (!name) return ::pp::storage::failure{name.error()};        \
    target = std::move(*name)
