#!/usr/bin/env bash
# Links captured programs (scripts/capture.sh) with cmd/link and with aotlink in turn, checks the bytes of every link, and
# prints medians with their spread, and ratios, as Markdown.
#
#   scripts/bench.sh [-n RUNS] [-o FILE] [NAME ...]
#
# NAME is a captured program. By default: those of 1.27/hello, cmdgo, server and kube-apiserver (scripts/kube-apiserver.sh)
# that are captured; the first three are captured here if they are not. RUNS counts links of each linker after one that
# doesn't count (default 5). -o keeps the report. LINKER names another aotlink than out/aotlink; AOTLINK_* switches hold.
#
# Wall, user and system time are the kernel's for the whole process. Resident memory is its peak (ru_maxrss); private
# memory (RssAnon) is read every few milliseconds and may miss a peak between two looks.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
command -v python3 >/dev/null || die "python3 is needed to measure: install it"
linker=${LINKER:-$ROOT/out/aotlink}
command -v "${linker%% *}" >/dev/null || die "$linker is not there: run ./build.sh"

runs=5
report=
while getopts n:o: option; do
    case $option in
    n) runs=$OPTARG ;;
    o) report=$OPTARG ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))

if [ $# = 0 ]; then
    set --
    for program in hello cmdgo server; do
        if [ ! -d "$AOTLINK_CAPTURES/1.27/$program" ]; then
            goroot=$("$ROOT/scripts/toolchain.sh" 1.27)
            case $program in
            cmdgo) (cd "$goroot/src" && "$ROOT/scripts/capture.sh" 1.27/cmdgo 1.27 -- cmd/go) >&2 ;;
            *) (cd "$ROOT/tests/programs" && "$ROOT/scripts/capture.sh" "1.27/$program" 1.27 -- "./$program") >&2 ;;
            esac
        fi
        set -- "$@" "1.27/$program"
    done
    if [ -d "$AOTLINK_CAPTURES/1.27/kube-apiserver" ]; then
        set -- "$@" 1.27/kube-apiserver
    else
        say "1.27/kube-apiserver is not captured (scripts/kube-apiserver.sh does it): left out"
    fi
fi

if [ -n "$report" ]; then
    python3 "$ROOT/scripts/bench.py" "$AOTLINK_CAPTURES" "$linker" "$runs" "$@" | tee "$report"
else
    exec python3 "$ROOT/scripts/bench.py" "$AOTLINK_CAPTURES" "$linker" "$runs" "$@"
fi
