#ifndef TESTS_UNISTD_H
#define TESTS_UNISTD_H
#include <sys/types.h>
int usleep(unsigned int);
#endif
