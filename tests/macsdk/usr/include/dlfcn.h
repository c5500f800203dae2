#ifndef TESTS_DLFCN_H
#define TESTS_DLFCN_H
#define RTLD_NOW 2
#define RTLD_GLOBAL 8
void *dlopen(const char *, int);
void *dlsym(void *, const char *);
char *dlerror(void);
#endif
