#!/usr/bin/env bash
# Captures the programs that most debugging starts with, for Go 1.27 and 1.26:
# RELEASE/{hello,server,hello-pie,server-pie,gofmt,cmdgo,compile} below $AOTLINK_CAPTURES.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
capture=$ROOT/scripts/capture.sh

for release in "${@:-1.27}"; do
    goroot=$("$ROOT/scripts/toolchain.sh" "$release")
    cd "$ROOT/tests/programs"
    for program in hello server dynimport; do
        "$capture" "$release/$program" "$release" -- "./$program"
        "$capture" "$release/$program-pie" "$release" -- -buildmode=pie "./$program"
    done
    cd "$goroot/src"
    "$capture" "$release/gofmt" "$release" -- cmd/gofmt
    "$capture" "$release/cmdgo" "$release" -- cmd/go
    "$capture" "$release/compile" "$release" -- cmd/compile
done
