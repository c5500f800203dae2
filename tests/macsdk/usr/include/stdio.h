#ifndef TESTS_STDIO_H
#define TESTS_STDIO_H
#include <stdarg.h>
#include <sys/types.h>
typedef struct FILE FILE;
extern FILE *__stderrp;
#define stderr __stderrp
int printf(const char *, ...);
int fprintf(FILE *, const char *, ...);
int vfprintf(FILE *, const char *, va_list);
int snprintf(char *, size_t, const char *, ...);
int fputc(int, FILE *);
int fputs(const char *, FILE *);
int fflush(FILE *);
void perror(const char *);
#endif
