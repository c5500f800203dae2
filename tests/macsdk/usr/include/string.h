#ifndef TESTS_STRING_H
#define TESTS_STRING_H
#include <sys/types.h>
void *memcpy(void *, const void *, size_t);
void *memset(void *, int, size_t);
size_t strlen(const char *);
char *strcpy(char *, const char *);
char *strncpy(char *, const char *, size_t);
char *strerror(int);
#endif
