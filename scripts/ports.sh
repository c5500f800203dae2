#!/usr/bin/env bash
# Everything the conformance suite has for every port, and from it the table of ports and releases in the README.
#
#   scripts/ports.sh           all ports (hours on a cold cache)
#   scripts/ports.sh OPTIONS   passed on to the suite: --filter linux/arm64, --release 1.27, --jobs N; the README stays as it is
#
# Programs for other CPUs are run where Debian's qemu-user (or the like) is installed.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
use_dotnet
[ -x "$ROOT/out/aotlink" ] || "$ROOT/build.sh"
tool=$(conformance_tool)
if [ $# = 0 ]; then
    exec "$tool" run --tier all --ports "$ROOT/README.md"
fi
exec "$tool" run --tier all "$@"
