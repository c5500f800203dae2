#!/usr/bin/env python3
"""Records what cmd/link prints for command lines and environments that it refuses, for the unit tests.

usage: scripts/record-messages.py GOROOT-1.24 GOROOT-1.25 GOROOT-1.26 GOROOT-1.27

Writes tests/AotLinker.Tests/Cli/Recorded/messages.jsonl (one object for each release and command line; $TOOL and $USAGE
stand for the tool's path and the usage message), usage-RELEASE.txt, and buildmodes.txt (the ports and the build modes
that each release allows them).
"""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = os.path.join(HERE, "..", "tests", "AotLinker.Tests", "Cli", "Recorded")

# Environment and arguments. No file is ever found, so nothing is linked.
CASES = [
    ("", ["-zork", "a.o"]), ("", ["--zork", "a.o"]), ("", ["-zork=1", "a.o"]), ("", ["-o"]), ("", ["--o"]),
    ("", ["-c=x", "a.o"]), ("", ["-c=", "a.o"]), ("", ["-v=x", "a.o"]), ("", ["-w=maybe", "a.o"]),
    ("", ["-debugtramp=x", "a.o"]), ("", ["-debugtramp=", "a.o"]),
    ("", ["-debugtramp", "99999999999999999999", "a.o"]), ("", ["-debugtramp=99999999999999999999x", "a.o"]),
    ("", ["-T", "0x8000000000000000", "a.o"]), ("", ["-T", "-0x8000000000000001", "a.o"]), ("", ["-T", "1__0", "a.o"]),
    ("", ["-T", "_1", "a.o"]), ("", ["-T", "0x", "a.o"]), ("", ["-T", "08", "a.o"]), ("", ["-T", "1e3", "a.o"]),
    ("", ["-buildmode=foo", "a.o"]), ("", ["-buildmode", "f\"o\n\x01é\u200b", "a.o"]), ("", ["-linkmode=foo", "a.o"]),
    ("", ["---", "a.o"]), ("", ["-=x", "a.o"]), ("", ["--=x", "a.o"]),
    ("", ["-extldflags", "'abc", "a.o"]), ("", ["-extld", "\"abc", "a.o"]),
    ("", ["-macos", "x", "a.o"]), ("", ["-macos", "1.2.3.4", "a.o"]), ("", ["-macsdk", "1.256", "a.o"]),
    ("", ["-H", "foo", "a.o"]), ("", ["-benchmark=foo", "a.o"]),
    ("", ["-aslr=false", "a.o"]), ("", ["-aslr=false", "-buildmode=pie", "a.o"]),
    ("", ["-D", "x", "a.o"]), ("", ["-R", "5", "a.o"]), ("", ["-R", "-4096", "a.o"]), ("", ["-R", "0x1800", "a.o"]),
    ("", ["-funcalign", "3", "a.o"]), ("", ["-funcalign", "-2", "a.o"]),
    ("", ["-X", "foo", "a.o"]), ("", ["-X", "foo=a.b", "a.o"]), ("", ["-X", "a.b", "a.o"]),
    ("", ["-importcfg", "/nonexistent", "a.o"]), ("", ["-importcfg", "/", "a.o"]), ("", ["@/nonexistent"]),
    ("", []), ("", ["-help"]), ("", ["--help"]), ("", ["-h"]), ("", ["a", "b"]),
    ("", ["-B", "gobuildid", "a.o"]), ("", ["-B", "12", "a.o"]), ("", ["-B", "0x1", "a.o"]), ("", ["-B", "0x1g", "a.o"]),
    ("", ["-B", "0xg", "a.o"]), ("", ["-B", "0x12345", "a.o"]), ("", ["-B", "0x" + "00" * 33, "a.o"]),
    ("", ["-H", "darwin", "-B", "0x" + "00" * 17, "a.o"]), ("", ["-d", "-H", "windows", "a.o"]),
    ("", ["-H", "openbsd", "-d", "a.o"]), ("", ["-linkshared", "-H", "windows", "a.o"]),
    ("GOOS=js GOARCH=wasm", ["-buildmode=c-shared", "a.o"]), ("GOOS=zork GOARCH=amd64", ["-buildmode=exe", "a.o"]),
    ("GOARCH=386 GOOS=plan9", ["-8", "a.o"]), ("GOARCH=zork", ["a.o"]),
    ("GOEXPERIMENT=zork", ["-zork"]), ("GOEXPERIMENT=nozork", ["-V"]), ("GOMIPS=x", ["-V"]), ("GOMIPS64=x", ["-V"]),
    ("GOPPC64=x", ["-V"]), ("GORISCV64=x", ["-V"]), ("GOWASM=a,b", ["-V"]), ("GOFIPS140=v1.2", ["-V"]),
    ("GOFIPS140=v2.0.0", ["-V"]), ("GOFIPS140=v1.0.0-rc1", ["-V"]), ("GOFIPS140=v1.0.0-c2097c7c", ["-V"]),
    ("GOARM64=v9.6", ["-V"]), ("GOAMD64=v9", ["-V"]), ("GOARM=9", ["-V"]), ("GOARM64=v9 GOMIPS=x", ["-V"]),
    ("GOARCH=386 GOEXPERIMENT=regabiargs", ["-V=full"]), ("GOARCH=s390x GOEXPERIMENT=noregabiwrappers", ["-V=full"]),
    ("GOARCH=s390x GOEXPERIMENT=noregabi", ["-V=full"]), ("GOEXPERIMENT=none", ["-V=full"]),
    ("GOEXPERIMENT=none,regabi", ["-V=full"]), ("GOOS=darwin GOEXPERIMENT=dwarf5", ["-V=full"]),
    ("GOOS=darwin", ["-V=full"]), ("GOEXPERIMENT=goroutineleakprofile", ["-V=full"]),
    ("GOEXPERIMENT=noswissmap,synctest", ["-V=full"]), ("GOEXPERIMENT=norangefunc,cacheprog", ["-V=full"]),
    ("GOEXPERIMENT=noaliastypeparams", ["-V=full"]), ("GOEXPERIMENT=nospinbitmutex,nocoverageredesign", ["-V=full"]),
    ("GOARCH=s390x GOEXPERIMENT=spinbitmutex,nodwarf5", ["-V=full"]), ("", ["-e=x", "a.o"]), ("GORISCV64=rva23u64", ["-V"]),
    ("GOEXPERIMENT=nosynchashtriemap", ["-V=goexperiment"]),
    ("GOEXPERIMENT=mapsplitgroup", ["-V=full"]), ("GOEXPERIMENT=jsonv2", ["-V=full"]),
    ("GOEXPERIMENT=nojsonv2,fieldtrack,arenas", ["-V=full"]), ("", ["-V=zork"]), ("", ["-V=goexperiment"]), ("", ["-zork", "-V"]), ("", ["-V", "-zork"]),
    ("", ["-crash_for_testing"]),
]

MODES = ["exe", "pie", "c-archive", "c-shared", "shared", "plugin"]
SYSTEMS = ["aix", "android", "darwin", "dragonfly", "freebsd", "illumos", "ios", "js", "linux", "netbsd", "openbsd", "plan9",
           "solaris", "wasip1", "windows"]
CPUS = ["386", "amd64", "arm", "arm64", "loong64", "mips", "mipsle", "mips64", "mips64le", "ppc64", "ppc64le", "riscv64",
        "s390x", "wasm"]


def run(tool, environment, arguments):
    variables = {"PATH": "/usr/bin:/bin", "HOME": "/dev/null"}
    for pair in environment.split():
        name, value = pair.split("=", 1)
        variables[name] = value
    return subprocess.run([tool] + arguments, env=variables, capture_output=True, cwd="/")


def main():
    os.makedirs(TARGET, exist_ok=True)
    with open(os.path.join(TARGET, "messages.jsonl"), "w") as messages, open(os.path.join(TARGET, "buildmodes.txt"), "w") as modes:
        for root in sys.argv[1:]:
            with open(os.path.join(root, "VERSION")) as f:
                version = f.readline().strip()
            release = ".".join(version[2:].split(".")[:2])
            tool = os.path.join(root, "pkg", "tool", "linux_amd64", "link")
            usage = run(tool, "", []).stderr.decode()
            with open(os.path.join(TARGET, f"usage-{release}.txt"), "w") as f:
                f.write(usage)
            for environment, arguments in CASES:
                result = run(tool, environment, arguments)
                record = {
                    "release": release,
                    "environment": environment,
                    "arguments": arguments,
                    "exit": result.returncode,
                    "stdout": result.stdout.decode().replace(version, "$VERSION"),
                    "stderr": result.stderr.decode().replace(usage, "$USAGE").replace(tool, "$TOOL"),
                }
                messages.write(json.dumps(record) + "\n")
            for system in SYSTEMS:
                for cpu in CPUS:
                    allowed = [mode for mode in MODES
                               if b"not supported on" not in run(tool, f"GOOS={system} GOARCH={cpu}", ["-buildmode=" + mode]).stderr]
                    if allowed:
                        modes.write(f"{release} {system} {cpu} {' '.join(allowed)}\n")


main()
