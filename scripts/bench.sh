#!/usr/bin/env bash
# Links captured programs (scripts/capture.sh) with cmd/link and with aotlink in turn, checks the bytes of every link, and
# prints medians with their spread, and ratios, as Markdown. On Linux.
#
#   scripts/bench.sh [-n RUNS] [-o FILE] [-k KINDS] [NAME ...]     (./build.sh bench builds first)
#   scripts/bench.sh [-n RUNS] -p FOLDER [NAME ...]                 draws time by pass and memory over time, as FOLDER/NAME.svg
#
# NAME is a captured program, of any port: each is linked as it is, or in the ways of -k. Without names everything below is
# measured, for 1.27/hello, server, cmdgo, etcd (35 MB) and kube-apiserver (154 MB). What is not captured is built and captured first;
# the two large ones are made from Debian's sources (some minutes, once) and left out where there is no Debian mirror. RUNS counts
# links of each linker after one that doesn't count (default 5). -o keeps the report. LINKER names another aotlink than
# out/aotlink; AOTLINK_* switches hold.
#
# KINDS, separated by commas:
#   whole     as it is
#   strip     with -s -w                                            \
#   thread    one thread (AOTLINK_THREADS=1, GOMAXPROCS=1)           | without names for the largest program alone;
#   four      four links at once, as go test ./... has them          | so are plots
#   cgroup    smallest memory cgroup that links it (needs root)     /
#   growth    time of each pass on all programs, one thread
#   floor     what a linker that maps its inputs has to do at least, by a C program: for the largest program alone
#   ports     as it is, for hello and kube-apiserver on linux/amd64, darwin/arm64 and windows/amd64; only without names and alone
#
# Wall, user and system time are the kernel's for the whole process. Resident memory is its peak (ru_maxrss); private
# memory (RssAnon) is read every 4 ms and may miss a peak between two looks. Outputs are written to TMPDIR, if that is set,
# else to a folder of the cache.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

[ "$(uname -s)" = Linux ] || die "memory is measured by what Linux tells of a process in /proc: this script runs on Linux only"
command -v python3 >/dev/null || die "python3 is needed to measure: install it"
linker=${LINKER:-$ROOT/out/aotlink}
command -v "${linker%% *}" >/dev/null || die "$linker is not there: run ./build.sh"

usage() {
    sed -n '2,/^set /{/^set /d; s/^# \{0,1\}//; p;}' "$0" >&2
    exit 2
}

runs=5 report='' kinds='' plot=''
while getopts n:o:k:p: option; do
    case $option in
    n) runs=$OPTARG ;;
    o) report=$OPTARG ;;
    k) kinds=$OPTARG ;;
    p) plot=$OPTARG ;;
    *) usage ;;
    esac
done
shift $((OPTIND - 1))

options=(--captures "$AOTLINK_CAPTURES" --linker "$linker" --runs "$runs")
names=("$@")
if [ $# != 0 ]; then
    options+=(--all --kinds "${kinds:-whole}")
elif [ "$kinds" = ports ]; then
    options+=(--all --kinds whole)
    for program in hello kube-apiserver; do
        for port in linux/amd64 darwin/arm64 windows/amd64; do captured "$program" "$port"; done
    done
else
    if [ -n "$kinds" ]; then options+=(--kinds "$kinds"); fi
    for program in hello server cmdgo etcd kube-apiserver; do captured "$program"; done
fi
[ ${#names[@]} != 0 ] || die "none of the programs can be built here"
if [ -n "$plot" ]; then options+=(--plot "$plot"); fi

work=${TMPDIR:-$AOTLINK_CACHE/bench}
mkdir -p "$work"
measure=(python3 -B "$ROOT/scripts/bench" "${options[@]}" --work "$work" "${names[@]}")
if [ -n "$report" ]; then
    "${measure[@]}" | tee "$report"
else
    exec "${measure[@]}"
fi
