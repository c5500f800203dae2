/* As much of a C library's headers as cgo and the test programs need to be compiled for macOS. Nothing of it is run. */
#ifndef TESTS_SYS_TYPES_H
#define TESTS_SYS_TYPES_H
#include <stddef.h>
#include <stdint.h>
typedef long ssize_t;
typedef long time_t;
typedef int pid_t;
typedef uint32_t sigset_t;
struct timespec { time_t tv_sec; long tv_nsec; };
#endif
