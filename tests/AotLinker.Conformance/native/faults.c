/*
 * Faults for a linker that runs: preloaded (LD_PRELOAD) into one process by Suite/FaultCases.cs, which compiles it.
 *
 * The linker gives its output a length once, after it has loaded everything and before it writes anything. That call is
 * the moment at which things go wrong here. FAULT says what does, as words between commas:
 *
 *   disk            the output's file system says that it is a disk (not memory) with room for everything
 *   fallocate=N     reserving space fails with error number N
 *   truncate=PATH   PATH is cut to 4,096 bytes
 *   map             no file can be mapped for writing any more
 *   space=N         the address space may not grow by more than N bytes
 *   signal=N        the process gets signal N, and waits for it
 *
 * FAULT_LOG names a file that gets a line for each fault, so that a test knows it has happened.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <unistd.h>

static const char *fault(const char *word)
{
	static char buffer[4096];
	const char *all = getenv("FAULT");
	size_t length = strlen(word);

	while (all && *all) {
		size_t n = strcspn(all, ",");
		if (n >= length && strncmp(all, word, length) == 0) {
			snprintf(buffer, sizeof buffer, "%.*s", (int)(n - length), all + length);
			return buffer;
		}
		all += n;
		all += *all == ',';
	}
	return 0;
}

static void note(const char *what)
{
	const char *path = getenv("FAULT_LOG");
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;

	if (fd < 0)
		return;
	if (write(fd, what, strlen(what)) < 0 || write(fd, "\n", 1) < 0)
		abort();
	close(fd);
}

static long address_space(void)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%ld", &pages) != 1)
		abort();
	fclose(f);
	return pages * sysconf(_SC_PAGESIZE);
}

static int armed; /* the output is about to get its length */

static void arm(void)
{
	const char *value;

	armed = 1;
	if ((value = fault("truncate="))) {
		if (truncate(value, 4096) != 0)
			abort();
		note("truncate");
	}
	if ((value = fault("space="))) {
		struct rlimit limit;
		limit.rlim_cur = limit.rlim_max = (rlim_t)(address_space() + atol(value));
		if (setrlimit(RLIMIT_AS, &limit) != 0)
			abort();
		note("space");
	}
	if ((value = fault("signal="))) {
		note("signal");
		kill(getpid(), atoi(value));
		sleep(20);
	}
}

int fstatfs(int fd, struct statfs *result)
{
	static int (*real)(int, struct statfs *);

	if (!real)
		real = (int (*)(int, struct statfs *))dlsym(RTLD_NEXT, "fstatfs");
	if (real(fd, result) != 0)
		return -1;
	if (fault("disk")) {
		result->f_type = 0xEF53;
		result->f_blocks = result->f_bavail = 1L << 40;
		note("disk");
	}
	return 0;
}

int fallocate(int fd, int mode, off_t offset, off_t length)
{
	static int (*real)(int, int, off_t, off_t);
	const char *value = fault("fallocate=");

	if (value) {
		note("fallocate");
		errno = atoi(value);
		return -1;
	}
	if (!real)
		real = (int (*)(int, int, off_t, off_t))dlsym(RTLD_NEXT, "fallocate");
	return real(fd, mode, offset, length);
}

int ftruncate(int fd, off_t length)
{
	static int (*real)(int, off_t);

	if (!real)
		real = (int (*)(int, off_t))dlsym(RTLD_NEXT, "ftruncate");
	if (!armed && length > 0)
		arm();
	return real(fd, length);
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
	static void *(*real)(void *, size_t, int, int, int, off_t);

	if (!real)
		real = (void *(*)(void *, size_t, int, int, int, off_t))dlsym(RTLD_NEXT, "mmap");
	if (armed && fd >= 0 && (flags & MAP_SHARED) && (protection & PROT_WRITE) && fault("map")) {
		note("map");
		errno = ENODEV;
		return MAP_FAILED;
	}
	return real(address, length, protection, flags, fd, offset);
}
