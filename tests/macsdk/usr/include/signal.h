#ifndef TESTS_SIGNAL_H
#define TESTS_SIGNAL_H
#include <sys/types.h>
#define SIG_SETMASK 3
int sigfillset(sigset_t *);
int pthread_sigmask(int, const sigset_t *, sigset_t *);
#endif
