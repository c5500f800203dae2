"""What any linker that maps its inputs has to do at least, measured by a small C program (floor.c), and what reading them would cost."""
import os
import shutil
import subprocess
import time

STEPS = {
    "read": "objects read by calls, 256 KB at a time",
    "map": "objects opened and mapped",
    "present": "their pages made present",
    "touch": "each page looked at",
    "again": "each page looked at once more",
}


class Unavailable(Exception):
    """It can't be measured here; the text says why."""


def build(work):
    """Path of the program."""
    compiler = os.environ.get("CC", "cc")
    program = os.path.join(work, "floor")
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "floor.c")
    try:
        subprocess.run([compiler, "-O2", "-pthread", "-o", program, source], check=True)
    except (OSError, subprocess.CalledProcessError) as reason:
        raise Unavailable(f"a C compiler is needed: {reason}") from reason
    return program


def measure(program, capture, work, runs):
    """For each step, and for a copy of the output, the wall and processor times of RUNS runs after one that doesn't count."""
    inputs = "\n".join([*capture.inputs(), ""])
    copy = os.path.join(work, "copy")
    results = {}
    for run in range(-1, runs):
        for mode in ("read", "map"):
            text = subprocess.run([program, mode], input=inputs, check=True, capture_output=True, text=True).stdout
            for line in text.splitlines():
                step, wall, processor = line.split()
                if run >= 0:
                    results.setdefault(STEPS[step], []).append((float(wall), float(processor)))
        start, before = time.perf_counter(), os.times()
        shutil.copyfile(f"{capture.folder}/ref", copy)
        wall, after = time.perf_counter() - start, os.times()
        os.remove(copy)
        if run >= 0:
            processor = after.user + after.system - before.user - before.system
            results.setdefault("output copied", []).append((wall, processor))
    return results
