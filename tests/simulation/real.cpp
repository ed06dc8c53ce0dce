#include "tests/simulation/real.hpp"

#include <dlfcn.h>

namespace pp::sim {

calls_behind::calls_behind() {
    const auto find = []<class F>(F*& f, const char* name) { f = reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name)); };
    find(pthread_create, "pthread_create");
    find(pthread_join, "pthread_join");
    find(pthread_mutex_lock, "pthread_mutex_lock");
    find(pthread_mutex_unlock, "pthread_mutex_unlock");
    find(read, "read");
    find(write, "write");
    find(pwrite, "pwrite");
    find(writev, "writev");
    find(ftruncate, "ftruncate");
    find(rename, "rename");
    find(unlink, "unlink");
    find(remove, "remove");
    find(mkdir, "mkdir");
    find(open, "open");
    find(close, "close");
    find(fcntl, "fcntl");
    find(ioctl, "ioctl");
    find(nanosleep, "nanosleep");
}

const calls_behind& real() {
    static const calls_behind found;
    return found;
}

}  // namespace pp::sim
