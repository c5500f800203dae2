"""Finds the smallest memory cgroup in which a link succeeds, with version 1 or 2 of the kernel's interface."""
import os

from links import lines, watch

STEP = 2 << 20
CONFIRMATIONS = 2

# A link that only gets on by reading the same pages again and again has not succeeded.
PATIENCE = 5

# The shell enters the group and becomes the linker, so that everything the linker ever takes is counted.
ENTER = 'echo $$ >"$0" && exec "$@"'


class Unavailable(Exception):
    """No memory cgroup can be had here; the text says why."""


class MemoryGroup:
    """A memory cgroup of our own, without swap. Remove it with `close`."""

    def __init__(self):
        root, self.limit, self.without_swap = find_hierarchy()
        self.folder = os.path.join(root, f"aotlink-bench-{os.getpid()}")
        try:
            os.mkdir(self.folder)
        except OSError as error:
            raise Unavailable(f"no cgroup can be made in {root}: {error.strerror}") from error
        try:
            self.set_limit(1 << 40)
            self.switch_swap_off()
        except OSError as error:
            self.close()
            raise Unavailable(f"the cgroup's memory can't be limited: {error.strerror}") from error
        except Unavailable:
            self.close()
            raise

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="ascii") as file:
            file.write(text)

    def switch_swap_off(self):
        name = os.path.join(self.folder, self.without_swap)
        if os.path.exists(name):
            self.write(self.without_swap, "0")
        elif len(lines("/proc/swaps")) > 1:
            raise Unavailable("this kernel can't switch swap off for a cgroup, and there is swap here")

    def set_limit(self, limit):
        self.write(self.limit, str(limit))

    def close(self):
        os.rmdir(self.folder)


def find_hierarchy():
    """Root folder, name of the limit and name of the switch for swap."""
    for line in lines("/proc/mounts"):
        _, folder, kind, options, *_ = line.split()
        if kind == "cgroup" and "memory" in options.split(","):
            return folder, "memory.limit_in_bytes", "memory.swappiness"
        if kind == "cgroup2":
            try:
                if "memory" in lines(f"{folder}/cgroup.subtree_control")[0].split():
                    return folder, "memory.max", "memory.swap.max"
            except (OSError, IndexError):
                continue
    raise Unavailable("no cgroup hierarchy with the memory controller is mounted here")


def file_system(folder):
    """Kind of the file system that FOLDER is on."""
    best, kind = "", "unknown"
    for line in lines("/proc/mounts"):
        _, mount, found, *_ = line.split()
        if os.path.commonpath([mount, os.path.realpath(folder)]) == mount and len(mount) >= len(best):
            best, kind = mount, found
    return kind


def smallest(job, linker, words, group):
    """Bytes of the smallest group in which WORDS links JOB's program and writes the right bytes, to a step of 2 MiB."""
    free, = job.link(linker)
    patience = max(PATIENCE * free.wall, 1)

    def links(limit):
        group.set_limit(limit)
        command, = job.commands(words, 1, job.variables[linker if linker == "cmd/link" else "aotlink"],
                                ["sh", "-c", ENTER, os.path.join(group.folder, "cgroup.procs")])
        run, = watch([command], patience)
        return run.status == 0 and job.same_bytes()

    # Bisection needs one size that works: private memory and half as much again does, but for a reason worth knowing.
    low, high = 0, -(-free.private * 3 // 2 // STEP) * STEP + 16 * STEP
    most = 16 * high
    while not links(high):
        low, high = high, 2 * high
        if high > most:
            raise Unavailable(f"{linker} does not link in a group of {low / 1e6:.0f} MB")
    most = high
    while high - low > STEP:
        middle = (low + high) // 2 // STEP * STEP
        if links(middle):
            high = middle
        else:
            low = middle
    # Success at the edge may have been luck: the figure is a size that links every time.
    while not all(links(high) for _ in range(CONFIRMATIONS)):
        high += STEP
        if high > most:
            raise Unavailable(f"{linker} links in a group of {most / 1e6:.0f} MB only now and then")
    return high
