#include "crypto/assert.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace pp {

namespace {
std::atomic<void (*)(const char*, const char*, int)> installed_hook{nullptr};
}

void set_broken_invariant_hook(void (*hook)(const char*, const char*, int)) { installed_hook = hook; }

void broken_invariant(const char* what, const char* file, int line) {
    std::fprintf(stderr, "peerpost: broken invariant: %s (%s:%d)\n", what, file, line);
    if (auto* hook = installed_hook.exchange(nullptr)) hook(what, file, line);
    std::abort();
}

}  // namespace pp
