"""Runs captured links (scripts/capture.sh) and measures them from outside."""
import filecmp
import os
import shlex
import signal
import struct
import sys
import time
from dataclasses import dataclass, field

SAMPLE_SECONDS = 0.004


def lines(path):
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


@dataclass
class Sample:
    """Memory of a process at one moment, in bytes; seconds are those since its start."""

    seconds: float
    private: int
    mapped: int


@dataclass
class Run:
    """What the kernel says about one finished process. Memory is in bytes."""

    status: int
    wall: float
    user: float
    system: float
    resident: int
    samples: list = field(repr=False)
    text: str = field(repr=False)

    @property
    def cpu(self):
        return self.user + self.system

    @property
    def private(self):
        return max((sample.private for sample in self.samples), default=0)


class Capture:
    """A captured link step."""

    def __init__(self, captures, name):
        self.name = name
        self.folder = os.path.join(captures, name)
        if not os.path.isfile(f"{self.folder}/ref"):
            sys.exit(f"{name} is not captured: see scripts/capture.sh")
        self.tool = lines(f"{self.folder}/tool")[0]
        self.environment = dict(os.environ)
        self.environment.update(line.split("=", 1) for line in lines(f"{self.folder}/env") if "=" in line)

    def arguments(self, output):
        replaced = {"@OUT@": output, "@IMPORTCFG@": f"{self.folder}/importcfg", "@MAIN@": f"{self.folder}/main.a"}
        result = []
        for line in lines(f"{self.folder}/args"):
            for placeholder, text in replaced.items():
                line = line.replace(placeholder, text)
            result.append(line)
        return result

    def inputs(self):
        """All archives that the link may read."""
        files = [line.split("=", 1)[1] for line in lines(f"{self.folder}/importcfg") if line.startswith("packagefile ")]
        return list(dict.fromkeys([*files, f"{self.folder}/main.a"]))

    def input_bytes(self):
        """Size of all archives that the link may read."""
        return sum(map(os.path.getsize, self.inputs()))

    def output_bytes(self):
        return os.path.getsize(f"{self.folder}/ref")

    def section_bytes(self, name):
        """Size of a section of the output; 0 if that is no 64-bit ELF file or has none of the name."""
        with open(f"{self.folder}/ref", "rb") as file:
            header = file.read(64)
            if header[:6] not in (b"\x7fELF\2\1", b"\x7fELF\2\2"):
                return 0
            order = "<" if header[5] == 1 else ">"
            start, = struct.unpack_from(f"{order}Q", header, 40)
            size, count, names = struct.unpack_from(f"{order}HHH", header, 58)
            file.seek(start)
            sections = [struct.unpack_from(f"{order}IIQQQQ", file.read(size)) for _ in range(count)]
            file.seek(sections[names][4])
            texts = file.read(sections[names][5])
        wanted = name.encode() + b"\0"
        return next((section[5] for section in sections if texts.startswith(wanted, section[0])), 0)


class Job:
    """A kind of link of a captured program: with flags, variables, and how many at once."""

    def __init__(self, capture, work, flags=(), theirs=None, ours=None, at_once=1):
        self.capture = capture
        self.work = work
        self.flags = list(flags)
        self.variables = {"cmd/link": theirs or {}, "aotlink": ours or {}}
        self.at_once = at_once
        self.reference = f"{capture.folder}/ref"
        if self.flags:
            self.reference = os.path.join(work, "reference")
            run, = watch(self.commands([capture.tool], 1))
            if run.status != 0:
                sys.exit(f"cmd/link failed on {capture.name} with {' '.join(self.flags)}")
            os.replace(self.output(0), self.reference)

    def output(self, index):
        return os.path.join(self.work, f"output{index}")

    def commands(self, words, count, variables=None, prefix=()):
        """What `watch` starts: the linker WORDS, COUNT times, each with an output of its own that isn't there yet."""
        result = []
        for index in range(count):
            if os.path.exists(self.output(index)):
                os.remove(self.output(index))
            environment = {**self.capture.environment, **(variables or {})}
            result.append(([*prefix, *words, *self.flags, *self.capture.arguments(self.output(index))], environment))
        return result

    def same_bytes(self, index=0):
        return os.path.exists(self.output(index)) and filecmp.cmp(self.output(index), self.reference, shallow=False)

    def link(self, linker, extra=()):
        """Links with "cmd/link" or an aotlink, all at once; returns a `Run` for each. EXTRA flags don't change the bytes."""
        words = [self.capture.tool] if linker == "cmd/link" else shlex.split(linker)
        variables = self.variables["cmd/link" if linker == "cmd/link" else "aotlink"]
        runs = watch(self.commands([*words, *extra], self.at_once, variables))
        for index, run in enumerate(runs):
            if run.status != 0:
                sys.exit(f"{linker} failed on {self.capture.name}:\n{run.text}")
            if not self.same_bytes(index):
                sys.exit(f"{linker}: other bytes than {self.reference}")
            os.remove(self.output(index))
        return runs


def watch(commands, timeout=None):
    """Runs commands (words and environment) side by side to their end; a `Run` for each. At the timeout all are killed."""
    # The end of a child wakes the loop, so that no time is measured by the rhythm of the samples.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    start = time.perf_counter()
    running, results, texts = {}, {}, {}
    for index, (words, environment) in enumerate(commands):
        reader, writer = os.pipe()
        child = os.posix_spawnp(words[0], words, environment, setsigmask=[], file_actions=[
            (os.POSIX_SPAWN_DUP2, writer, 1), (os.POSIX_SPAWN_DUP2, writer, 2)])
        os.close(writer)
        os.set_blocking(reader, False)
        running[child] = (index, reader)
        results[index], texts[index] = [], b""
    try:
        while running:
            for child, (index, reader) in list(running.items()):
                pid, status, usage = os.wait4(child, os.WNOHANG)
                seconds = time.perf_counter() - start
                texts[index] += drained(reader)
                if pid:
                    os.close(reader)
                    del running[child]
                    results[index] = Run(
                        os.waitstatus_to_exitcode(status), seconds, usage.ru_utime, usage.ru_stime, usage.ru_maxrss * 1024,
                        results[index], texts[index].decode("utf-8", "replace"))
                else:
                    if sample := memory(child, seconds):
                        results[index].append(sample)
                    if timeout and seconds > timeout:
                        os.kill(child, signal.SIGKILL)
            if running:
                signal.sigtimedwait({signal.SIGCHLD}, SAMPLE_SECONDS)
    except BaseException:
        # Nothing goes on, and no cgroup stays occupied, when this program is stopped.
        for child in running:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        raise
    return [results[index] for index in sorted(results)]


def drained(reader):
    try:
        return os.read(reader, 1 << 16)
    except BlockingIOError:
        return b""


def memory(process, seconds):
    """A process's private and mapped memory; None when it has just ended."""
    figures = {}
    try:
        with open(f"/proc/{process}/status", encoding="ascii", errors="replace") as file:
            for line in file:
                key, _, value = line.partition(":")
                if key in ("RssAnon", "RssFile", "RssShmem"):
                    figures[key] = int(value.split()[0]) * 1024
    except OSError:
        return None
    if "RssAnon" not in figures:
        return None
    return Sample(seconds, figures["RssAnon"], figures["RssFile"] + figures["RssShmem"])
