// PP_ASSERT: an invariant of our own that does not hold. Always compiled. The process ends at once: the store is
// crash-safe, a wrong program that goes on is not. Never used for bytes from outside.
#pragma once

namespace pp {

// Prints "peerpost: broken invariant: <what> (<file>:<line>)" to standard error and aborts. The daemon installs a hook
// that flushes its log first.
[[noreturn]] void broken_invariant(const char* what, const char* file, int line);
void set_broken_invariant_hook(void (*hook)(const char* what, const char* file, int line));

}  // namespace pp

#define PP_ASSERT(condition) \
    ((condition) ? static_cast<void>(0) : ::pp::broken_invariant(#condition, __FILE__, __LINE__))
