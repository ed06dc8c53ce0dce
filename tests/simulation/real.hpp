// The calls of the C library behind those that the simulation puts itself in front of.
#pragma once

#include <ctime>
#include <pthread.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <sys/uio.h>

namespace pp::sim {

struct calls_behind {
    calls_behind();
    int (*pthread_create)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
    int (*pthread_join)(pthread_t, void**);
    int (*pthread_mutex_lock)(pthread_mutex_t*);
    int (*pthread_mutex_unlock)(pthread_mutex_t*);
    ssize_t (*read)(int, void*, std::size_t);
    ssize_t (*write)(int, const void*, std::size_t);
    ssize_t (*pwrite)(int, const void*, std::size_t, off_t);
    ssize_t (*writev)(int, const iovec*, int);
    int (*ftruncate)(int, off_t);
    int (*rename)(const char*, const char*);
    int (*unlink)(const char*);
    int (*remove)(const char*);
    int (*mkdir)(const char*, mode_t);
    int (*open)(const char*, int, ...);
    int (*close)(int);
    int (*fcntl)(int, int, ...);
    int (*ioctl)(int, unsigned long, ...);
    int (*nanosleep)(const timespec*, timespec*);
};
const calls_behind& real();

}  // namespace pp::sim
