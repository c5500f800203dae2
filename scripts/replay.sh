#!/usr/bin/env bash
# Links a captured program (scripts/capture.sh) with LINKER and compares the bytes with what cmd/link writes.
#
#   scripts/replay.sh [-n] [-k FILE] NAME LINKER [FLAGS]
#
# LINKER is a command, split at spaces ("dotnet x.dll" works); "real" is the toolchain's own linker. FLAGS are added after
# the captured ones; the reference for those is made once by the real linker and kept. -n: only run LINKER, don't
# compare. -k: keep the output as FILE. Exit code 0: same bytes; 1: other bytes; else what LINKER exits with.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

compare=1 keep=
while getopts nk: option; do
    case $option in
    n) compare=0 ;;
    k) keep=$OPTARG ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
[ $# -ge 2 ] || die "usage: scripts/replay.sh [-n] [-k FILE] NAME LINKER [FLAGS]"
dir=$AOTLINK_CAPTURES/$1
[ -f "$dir/args" ] || die "no capture in $dir"
real=$(cat "$dir/tool")
linker=$2
if [ "$linker" = real ]; then linker=$real; fi
shift 2
extra=("$@")

# link COMMAND OUT: runs the captured step.
link() {
    local args=() arg variables=()
    while IFS= read -r arg; do
        case $arg in
        @OUT@) arg=$2 ;;
        @IMPORTCFG@) arg=$dir/importcfg ;;
        @RSP@) arg=@$dir/rsp ;;
        @MAIN@)
            args+=(${extra[@]+"${extra[@]}"})
            arg=$dir/main.a
            ;;
        esac
        args+=("$arg")
    done <"$dir/args"
    mapfile -t variables <"$dir/env"
    # Nothing else of the caller's Go settings may leak in.
    local name
    for name in $(compgen -e | grep '^GO' || true); do unset "$name"; done
    # shellcheck disable=SC2086 # the command may have arguments
    env "${variables[@]}" $1 "${args[@]}"
}

reference=$dir/ref
if [ ${#extra[@]} -gt 0 ] && [ $compare = 1 ]; then
    hash=$(printf '%s\n' "${extra[@]}" | sha256sum | cut -c1-16)
    reference=$dir/ref-$hash
    if [ ! -f "$reference" ]; then
        (link "$real" "$reference.tmp.$$") || die "$real fails with these flags"
        mv "$reference.tmp.$$" "$reference"
    fi
fi

out=${keep:-$(mktemp "${TMPDIR:-/tmp}/aotlink-replay.XXXXXX")}
if [ -z "$keep" ]; then trap 'rm -f "$out"' EXIT; fi
rm -f "$out"
code=0
(link "$linker" "$out") || code=$?
if [ $code != 0 ]; then say "$linker: exit $code"; exit $code; fi
[ $compare = 1 ] || exit 0
if cmp -s "$out" "$reference"; then
    say "identical ($(stat -c %s "$reference") bytes)"
    exit 0
fi
say "different: $(stat -c %s "$out") bytes, expected $(stat -c %s "$reference") ($reference)"
cmp "$out" "$reference" >&2 || true
exit 1
