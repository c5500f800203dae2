#!/usr/bin/env bash
# Everything the conformance suite has for every port, and from it the table of ports and releases in the README.
#
#   scripts/ports.sh           all ports (hours on a cold cache)
#   scripts/ports.sh OPTIONS   passed on to the suite: --filter linux/arm64, --release 1.27, --jobs N; the README stays as it is, but with
#                              --ports README.md, which renews what it says of the ports and releases that are run
#
# That is, for every port: small programs, a server, flags, forced trampolines and split text, position-independent programs, variants of
# the CPU; and where the suite looks deeper (eight CPUs of Linux among them): cmd/go, cmd/compile, gofmt and some 75 test binaries of the
# standard library, and kube-apiserver if scripts/kube-apiserver.sh has captured it for the port.
#
# Programs for other CPUs are run where Debian's qemu-user (or the like) is installed; position-independent ones if their C library is
# there too, as Debian's libc6-arm64-cross, -ppc64el-cross and -s390x-cross bring it (in /usr, or unpacked in $AOTLINK_SYSROOTS). Those for
# linux/386, where the system itself starts none, are run once scripts/vm386.sh has prepared a virtual machine.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
use_dotnet
[ -x "$ROOT/out/aotlink" ] || "$ROOT/build.sh"
tool=$(conformance_tool)
if [ $# = 0 ]; then
    exec "$tool" run --tier all --ports "$ROOT/README.md"
fi
exec "$tool" run --tier all "$@"
