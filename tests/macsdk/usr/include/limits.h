#ifndef TESTS_LIMITS_H
#define TESTS_LIMITS_H
#define PATH_MAX 1024
#endif
