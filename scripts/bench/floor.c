// What a linker cannot do without: looks at each page of the objects of a link once, with as many threads as there are processors.
//
//   floor read|map < FILES        FILES: one archive a line
//
// read: by calls, 256 KB at a time; one word of each page is looked at. map: all are mapped, made present, and one word of each page is
// looked at, and then once more. Package data, the first member of an archive, is left out. Prints a line for each step: its name, wall
// and processor time in seconds. Used by floor.py.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

enum { MAX_FILES = 1 << 14, MAX_THREADS = 64, PAGE = 4096, PIECE = 256 << 10, ARCHIVE_HEAD = 8 + 60 };

struct input {
    char *path;
    off_t start; // of the page with the first object
    off_t length;
    char *map;
};

static struct input inputs[MAX_FILES];
static int count, next_input;
static void (*step)(struct input *);
static volatile long sink;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

// Opens a file and finds out what of it counts.
static int open_input(struct input *in) {
    char head[ARCHIVE_HEAD + 1] = "";
    struct stat st;
    int file = open(in->path, O_RDONLY);
    if (file < 0 || fstat(file, &st) != 0)
        fail(in->path);
    in->length = st.st_size;
    if (pread(file, head, ARCHIVE_HEAD, 0) == ARCHIVE_HEAD && memcmp(head, "!<arch>\n__.PKGDEF ", 18) == 0)
        in->start = (ARCHIVE_HEAD + atoll(head + ARCHIVE_HEAD - 12)) & -PAGE;
    if (in->start >= in->length)
        in->start = 0;
    return file;
}

static void read_input(struct input *in) {
    static _Thread_local char *buffer;
    long sum = 0;
    int file = open_input(in);
    if (buffer == NULL && (buffer = malloc(PIECE)) == NULL)
        fail("malloc");
    for (off_t at = in->start; at < in->length;) {
        ssize_t n = pread(file, buffer, PIECE, at);
        if (n <= 0)
            fail(in->path);
        for (ssize_t i = 0; i < n; i += PAGE)
            sum += buffer[i];
        at += n;
    }
    sink += sum;
    close(file);
}

static void map_input(struct input *in) {
    int file = open_input(in);
    in->map = mmap(NULL, in->length - in->start, PROT_READ, MAP_SHARED, file, in->start);
    if (in->map == MAP_FAILED)
        fail(in->path);
    close(file);
}

static void make_present(struct input *in) {
    // Older kernels don't know it: then touching does all.
    (void)madvise(in->map, in->length - in->start, MADV_POPULATE_READ);
}

static void touch(struct input *in) {
    long sum = 0;
    for (off_t i = 0; i < in->length - in->start; i += PAGE)
        sum += *(volatile char *)(in->map + i);
    sink += sum;
}

static void *work(void *unused) {
    for (int i; (i = __atomic_fetch_add(&next_input, 1, __ATOMIC_RELAXED)) < count;)
        step(&inputs[i]);
    return unused;
}

static double wall(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static double processor(void) {
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return r.ru_utime.tv_sec + r.ru_stime.tv_sec + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static void run(const char *name, void (*body)(struct input *)) {
    pthread_t threads[MAX_THREADS];
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    double start = wall(), before = processor();
    step = body;
    next_input = 0;
    n = n > MAX_THREADS ? MAX_THREADS : n;
    for (long i = 1; i < n; i++)
        if (pthread_create(&threads[i], NULL, work, NULL) != 0)
            fail("pthread_create");
    work(NULL);
    for (long i = 1; i < n; i++)
        pthread_join(threads[i], NULL);
    printf("%s %.4f %.4f\n", name, wall() - start, processor() - before);
}

int main(int argc, char **argv) {
    char line[PAGE];
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = 0;
        if (count == MAX_FILES)
            return fprintf(stderr, "more than %d files\n", MAX_FILES), 1;
        if ((inputs[count++].path = strdup(line)) == NULL)
            fail("strdup");
    }
    if (argc == 2 && strcmp(argv[1], "read") == 0) {
        run("read", read_input);
    } else if (argc == 2 && strcmp(argv[1], "map") == 0) {
        run("map", map_input);
        run("present", make_present);
        run("touch", touch);
        run("again", touch);
    } else {
        return fprintf(stderr, "usage: floor read|map < FILES\n"), 1;
    }
    return 0;
}
