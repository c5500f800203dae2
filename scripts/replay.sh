#!/usr/bin/env bash
# Links a captured program (scripts/capture.sh) with LINKER and compares the bytes with what cmd/link writes; where they
# differ, it says in which sections and near which symbols.
#
#   scripts/replay.sh [-n] [-k FILE] NAME LINKER [FLAGS]
#
# LINKER is a command, split at spaces ("dotnet x.dll" works); "real" is the toolchain's own linker. FLAGS are added after
# the captured ones; the reference for those is made once by the real linker and kept. -n: only run LINKER, don't
# compare. -k: keep the output as FILE. Exit code 0: same bytes; 1: other bytes; else what LINKER exits with.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
use_dotnet
tool=$(conformance_tool)
exec "$tool" replay "$@"
