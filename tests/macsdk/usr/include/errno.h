#ifndef TESTS_ERRNO_H
#define TESTS_ERRNO_H
extern int *__error(void);
#define errno (*__error())
#define EINTR 4
#define EAGAIN 35
#define EDOM 33
#endif
