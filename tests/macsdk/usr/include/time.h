#ifndef TESTS_TIME_H
#define TESTS_TIME_H
#include <sys/types.h>
int nanosleep(const struct timespec *, struct timespec *);
#endif
