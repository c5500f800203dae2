"""
Measures captured links with cmd/link and with aotlink, in turn. Started by bench.sh, which says what is measured.

python3 scripts/bench -h
"""
import argparse
import datetime
import os
import platform
import shlex
import signal
import statistics
import sys
import tempfile

import cgroups
import floor
import passes
import plot
from links import Capture, Job, lines

MB = 1e6
KINDS = ("whole", "strip", "thread", "four", "cgroup", "growth", "floor")
TMPFS = ("tmpfs", "ramfs")

# Of all links at once, as a name, its unit, how it is made of the runs, and decimals.
FIGURES = [
    ("wall", "s", lambda runs: max(run.wall for run in runs), 3),
    ("user + sys", "s", lambda runs: sum(run.cpu for run in runs), 3),
    ("private", "MB", lambda runs: sum(run.private for run in runs) / MB, 0),
    ("resident", "MB", lambda runs: sum(run.resident for run in runs) / MB, 0),
]


def processor():
    try:
        for line in lines("/proc/cpuinfo"):
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.machine()


def write(text=""):
    print(text, flush=True)


def spread(values, digits):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def in_turn(job, linker, runs, extra=()):
    """Links by cmd/link and by LINKER in turn, after one of each that doesn't count: two lists of lists of runs."""
    theirs, ours = [], []
    for run in range(-1, runs):
        a, b = job.link("cmd/link", extra), job.link(linker, extra)
        if run >= 0:
            theirs.append(a)
            ours.append(b)
    return theirs, ours


def compare(label, job, linker, runs):
    """Writes a row for each figure; returns one with all of them in short."""
    theirs, ours = in_turn(job, linker, runs)
    short = []
    for name, unit, figure, digits in FIGURES:
        if job.at_once > 1 and name == "resident":
            # What is mapped is shared between the links: its sum would mean nothing.
            short.append("–")
            continue
        a, b = [figure(run) for run in theirs], [figure(run) for run in ours]
        ratio = statistics.median(x / y for x, y in zip(a, b) if y)
        what = f"sum of {name}" if job.at_once > 1 and name != "wall" else name
        write(f"| {label} | {what}, {unit} | {spread(a, digits)} | {spread(b, digits)} | {ratio:.2f} |")
        if statistics.median(a) >= 0.3:
            digits = min(digits, 2)
        short.append(f"{statistics.median(a):,.{digits}f} → {statistics.median(b):,.{digits}f} {unit}")
    return f"| {label} | {' | '.join(short)} |"


def smallest_cgroup(label, job, linker):
    if (kind := cgroups.file_system(job.work)) in TMPFS:
        return f"The smallest memory cgroup was not measured: {job.work} is on {kind}, whose pages count as memory (see TMPDIR)."
    try:
        group = cgroups.MemoryGroup()
        try:
            a = cgroups.smallest(job, "cmd/link", [job.capture.tool], group) / MB
            b = cgroups.smallest(job, linker, shlex.split(linker), group) / MB
        finally:
            group.close()
    except cgroups.Unavailable as reason:
        return f"The smallest memory cgroup was not measured: {reason}."
    write(f"| {label} | smallest memory cgroup, MB | {a:.0f} | {b:.0f} | {a / b:.2f} |")
    times = cgroups.CONFIRMATIONS + 1
    return (f"In the smallest memory cgroup, found to {cgroups.STEP >> 20} MiB, {times} links of {times} succeed within {cgroups.PATIENCE} times "
            f"their usual time, without swap. Outputs are on {kind}; inputs are in the page cache before and count elsewhere.")


def table(kinds, chosen, work, linker, runs):
    """Writes the table of whole links, and the same in short; CHOSEN gives the captures for a kind of link."""
    short, remarks = [], []
    write("| link | figure | cmd/link: median (min–max) | aotlink: median (min–max) | cmd/link ÷ aotlink |")
    write("|---|---|---|---|---|")
    for capture in chosen("whole") if "whole" in kinds else []:
        short.append(compare(capture.name, Job(capture, work), linker, runs))
    for capture in chosen("strip") if "strip" in kinds else []:
        short.append(compare(f"{capture.name}, `-s -w`", Job(capture, work, flags=["-s", "-w"]), linker, runs))
    for capture in chosen("thread") if "thread" in kinds else []:
        job = Job(capture, work, theirs={"GOMAXPROCS": "1"}, ours={"AOTLINK_THREADS": "1"})
        short.append(compare(f"{capture.name}, one thread", job, linker, runs))
    for capture in chosen("four") if "four" in kinds else []:
        short.append(compare(f"{capture.name}, four links at once", Job(capture, work, at_once=4), linker, runs))
    for capture in chosen("cgroup") if "cgroup" in kinds else []:
        remarks.append(smallest_cgroup(capture.name, Job(capture, work), linker))
    for remark in dict.fromkeys(remarks):
        write(f"\n{remark}")
    if short:
        write("\n| cmd/link → aotlink, medians | wall | processor time | private memory | resident, maps included |\n|---|---|---|---|---|")
        for row in short:
            write(row)


def print_growth(captures, work, linker, runs):
    captures = sorted(captures, key=Capture.input_bytes)
    every_theirs, every_ours = [], []
    for capture in captures:
        job = Job(capture, work, theirs={"GOMAXPROCS": "1"}, ours={"AOTLINK_THREADS": "1"})
        theirs, ours = in_turn(job, linker, runs, [passes.FLAG])
        every_theirs.append(passes.fastest([run for run, in theirs]))
        every_ours.append(passes.fastest([run for run, in ours]))
    write(f"\naotlink's passes, one thread, each at its fastest in {runs} runs (those of {passes.SHORTEST_MS:.0f} ms and more), and how they "
          "grow:\n")
    for line in passes.growth(captures, every_ours, every_theirs):
        write(line)


def print_floor(captures, work, runs):
    try:
        program = floor.build(work)
    except floor.Unavailable as reason:
        write(f"\nWhat is needed at least was not measured: {reason}.")
        return
    write(f"\nWhat a linker that maps its inputs has to do at least, by a C program with {os.cpu_count()} threads; reading them beside it:\n")
    write("| link | step | wall, ms: median (min–max) | processor time, ms |\n|---|---|---|---|")
    for capture in captures:
        for step, times in floor.measure(program, capture, work, runs).items():
            walls, processors = ([1e3 * t for t in some] for some in zip(*times))
            write(f"| {capture.name} | {step} | {spread(walls, 0)} | {spread(processors, 0)} |")


def draw(captures, work, linker, runs, folder):
    os.makedirs(folder, exist_ok=True)
    for capture in captures:
        theirs, ours = in_turn(Job(capture, work), linker, runs, [passes.FLAG])
        series = {"cmd/link": [run for run, in theirs], "aotlink": [run for run, in ours]}
        path = os.path.join(folder, os.path.basename(capture.name) + ".svg")
        with open(path, "w", encoding="utf-8") as file:
            file.write(plot.picture(capture.name, machine(), series))
        print(f"drew {path}", file=sys.stderr)


def machine():
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return f"{datetime.date.today()}, {processor()}, {os.cpu_count()} processors, {memory:.0f} GB, Linux {platform.release()}"


def main():
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--captures", required=True, help="folder of captured links")
    parser.add_argument("--linker", required=True, help="the command aotlink")
    parser.add_argument("--work", required=True, help="folder for outputs, on a disk")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--kinds", default=",".join(KINDS), help="some of " + ",".join(KINDS))
    parser.add_argument("--plot", metavar="FOLDER", help="draw passes and memory there, and measure nothing else")
    parser.add_argument("--all", action="store_true", help="every kind for all programs, not for the largest alone")
    parser.add_argument("names", nargs="+")
    options = parser.parse_args()
    kinds = options.kinds.split(",")
    if unknown := set(kinds) - set(KINDS):
        parser.error(f"unknown kind of link: {', '.join(sorted(unknown))}")
    if options.runs < 1:
        parser.error("one run at least")

    captures = [Capture(options.captures, name) for name in options.names]
    largest = [max(captures, key=Capture.output_bytes)]

    def chosen(kind):
        return captures if options.all or kind in ("whole", "growth") else largest

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(dir=options.work) as work:
        if options.plot:
            draw(chosen("plot"), work, options.linker, options.runs, options.plot)
            return
        write(f"{machine()}; load average {os.getloadavg()[0]:.1f} at the start; {options.runs} runs of each, in turn, after one that "
              "doesn't count; warm page cache; every output has the same bytes as cmd/link's.\n")
        if set(kinds) - {"growth", "floor"}:
            table(kinds, chosen, work, options.linker, options.runs)
        if "growth" in kinds and len(captures) > 1:
            print_growth(captures, work, options.linker, options.runs)
        elif kinds == ["growth"]:
            parser.error("growth needs two programs")
        if "floor" in kinds:
            print_floor(chosen("floor"), work, runs=options.runs)


main()
