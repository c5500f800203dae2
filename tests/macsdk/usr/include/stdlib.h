#ifndef TESTS_STDLIB_H
#define TESTS_STDLIB_H
#include <sys/types.h>
void *malloc(size_t);
void *calloc(size_t, size_t);
void free(void *);
void abort(void) __attribute__((noreturn));
void exit(int) __attribute__((noreturn));
char *realpath(const char *, char *);
char *getenv(const char *);
int setenv(const char *, const char *, int);
int unsetenv(const char *);
#endif
