#!/usr/bin/env python3
"""Times captured links with cmd/link and with aotlink, in turn. Started by bench.sh, which says what is measured.

bench.py CAPTURES LINKER RUNS NAME...
"""
import datetime
import filecmp
import os
import platform
import shlex
import statistics
import sys
import tempfile
import time

SAMPLE_SECONDS = 0.004


def lines(path):
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


class Capture:
    """A captured link step: see scripts/capture.sh."""

    def __init__(self, folder, work):
        self.folder = folder
        self.output = os.path.join(work, "output")
        replaced = {"@OUT@": self.output, "@IMPORTCFG@": f"{folder}/importcfg", "@MAIN@": f"{folder}/main.a"}
        self.arguments = []
        for line in lines(f"{folder}/args"):
            for placeholder, text in replaced.items():
                line = line.replace(placeholder, text)
            self.arguments.append(line)
        self.environment = dict(os.environ)
        self.environment.update(line.split("=", 1) for line in lines(f"{folder}/env") if "=" in line)
        self.tool = lines(f"{folder}/tool")[0]

    def link(self, command):
        """Runs a linker; returns wall, user and system seconds, and peak resident and private MB."""
        if os.path.exists(self.output):
            os.remove(self.output)
        words = shlex.split(command) + self.arguments
        start = time.perf_counter()
        child = os.posix_spawnp(words[0], words, self.environment)
        private = 0
        while True:
            pid, status, usage = os.wait4(child, os.WNOHANG)
            if pid:
                break
            private = max(private, private_kilobytes(child))
            time.sleep(SAMPLE_SECONDS)
        wall = time.perf_counter() - start
        if status != 0:
            sys.exit(f"{command} failed on {self.folder}")
        if not filecmp.cmp(self.output, f"{self.folder}/ref", shallow=False):
            sys.exit(f"{command}: other bytes than {self.folder}/ref")
        return wall, usage.ru_utime, usage.ru_stime, usage.ru_maxrss * 1024 / 1e6, private * 1024 / 1e6


def private_kilobytes(process):
    try:
        for line in lines(f"/proc/{process}/status"):
            if line.startswith("RssAnon:"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


def processor():
    try:
        for line in lines("/proc/cpuinfo"):
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.machine()


def spread(values, digits):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def compare(name, capture, linker, runs):
    """Prints a row per figure."""
    theirs, ours = [], []
    for run in range(-1, runs):
        a, b = capture.link(capture.tool), capture.link(linker)
        if run >= 0:
            theirs.append(a)
            ours.append(b)
    figures = [
        ("wall, s", lambda r: r[0], 3),
        ("user + sys, s", lambda r: r[1] + r[2], 3),
        ("resident, MB", lambda r: r[3], 0),
        ("private, MB", lambda r: r[4], 0),
    ]
    for label, figure, digits in figures:
        a, b = [figure(r) for r in theirs], [figure(r) for r in ours]
        ratio = statistics.median(x / y for x, y in zip(a, b) if y)
        print(f"| {name} | {label} | {spread(a, digits)} | {spread(b, digits)} | {ratio:.2f} |", flush=True)


def main():
    captures, linker, runs, names = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    load = os.getloadavg()[0]
    print(f"{datetime.date.today()}, {processor()}, {os.cpu_count()} processors, {memory:.0f} GB, Linux {platform.release()}; "
          f"load average {load:.0f} at the start; {runs} runs of each, in turn, after one that doesn't count; "
          "every output has the same bytes as cmd/link's.\n")
    print("| link | figure | cmd/link: median (min–max) | aotlink: median (min–max) | cmd/link ÷ aotlink |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as work:
        for name in names:
            compare(name, Capture(os.path.join(captures, name), work), linker, runs)


main()
