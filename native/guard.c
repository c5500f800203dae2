/*
 * A bus error inside a map of the linker's ends it with one line and exit status 2.
 *
 * A store or load through a file map raises SIGBUS when the file is shorter than the map (an input was truncated while it
 * was mapped) or when the disk has no room for the page (the output). Both are errors of the world outside, not bugs, and
 * a managed handler can't run there. The table of maps is kept by the linker (Mapping/FaultGuard.cs); the handler only
 * reads it. Every other bus error goes to the handler that was there before: the .NET runtime's, or the default.
 *
 * Only async-signal-safe calls here: write, unlink, ftruncate, sigaction, raise, pause, _exit.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* One map. Mirrors FaultGuard.Entry; 40 bytes on every 64-bit host. A free slot has start == 0. */
struct guard_entry {
	volatile uintptr_t start;
	uintptr_t end;
	const char *path;   /* what the message names, NUL-terminated */
	const char *remove; /* a partial output to unlink, or null */
	int32_t truncate;   /* descriptor of a partial output to empty, or -1 */
	int32_t is_output;
};

static struct guard_entry *table;
static volatile int64_t *table_count; /* slots in use or free, from the front */
static const char *program;           /* "link: ", before every message */
static struct sigaction previous;
static volatile int ending;

static void put(const char *text)
{
	size_t length = strlen(text);
	while (length > 0) {
		ssize_t n = write(2, text, length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		text += n;
		length -= (size_t)n;
	}
}

static void pass_on(int signal, siginfo_t *info, void *context)
{
	if (previous.sa_flags & SA_SIGINFO) {
		previous.sa_sigaction(signal, info, context);
		return;
	}
	if (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN) {
		/* Returning runs the faulting instruction again, now with the default action. */
		struct sigaction standard;
		memset(&standard, 0, sizeof standard);
		standard.sa_handler = SIG_DFL;
		sigemptyset(&standard.sa_mask);
		sigaction(signal, &standard, 0);
		if (info->si_code <= 0) /* sent by somebody: no instruction to run again */
			raise(signal);
		return;
	}
	previous.sa_handler(signal);
}

static void on_bus_error(int signal, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)info->si_addr;
	int64_t count = *table_count;
	struct guard_entry *hit = 0;
	int64_t i;

	for (i = 0; i < count && info->si_code > 0; i++) {
		uintptr_t start = table[i].start;
		if (start != 0 && at >= start && at < table[i].end) {
			hit = &table[i];
			break;
		}
	}
	if (hit == 0) {
		pass_on(signal, info, context);
		return;
	}

	/* Several threads may fault at once: one speaks, the others wait for the end. */
	if (__sync_lock_test_and_set(&ending, 1)) {
		for (;;)
			pause();
	}
	put(program);
	if (hit->is_output) {
		put("write ");
		put(hit->path);
		put(": no space left on device, or an input/output error\n");
	} else {
		put(hit->path);
		put(": truncated while it was being read, or an input/output error\n");
	}
	for (i = 0; i < count; i++) {
		if (table[i].start == 0)
			continue;
		if (table[i].remove != 0)
			unlink(table[i].remove);
		if (table[i].truncate >= 0 && ftruncate(table[i].truncate, 0) != 0)
			put("the output could not be emptied\n");
	}
	_exit(2);
}

/* Starts watching. Returns 0, or the errno of sigaction. */
int32_t aotlink_guard_install(struct guard_entry *entries, volatile int64_t *count, const char *prefix)
{
	struct sigaction action;

	table = entries;
	table_count = count;
	program = prefix;
	memset(&action, 0, sizeof action);
	action.sa_sigaction = on_bus_error;
	action.sa_flags = SA_SIGINFO | SA_ONSTACK;
	sigemptyset(&action.sa_mask);
	return sigaction(SIGBUS, &action, &previous) == 0 ? 0 : errno;
}
