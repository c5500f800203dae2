#!/usr/bin/env bash
# Saves the link step of a program, to be replayed with any linker.
#
#   scripts/capture.sh NAME RELEASE -- ARGUMENTS OF go build         one program, into $AOTLINK_CAPTURES/NAME
#   scripts/capture.sh --each FOLDER RELEASE -- build ARGUMENTS      each program that the command links, into
#   scripts/capture.sh --each FOLDER RELEASE -- test -c ARGUMENTS    $AOTLINK_CAPTURES/FOLDER/PACKAGE
#
# Run it where the package is found (a module, GOROOT/src, a GOPATH with GO111MODULE=off). Arguments are go's, without
# -o and -toolexec; GOOS, GOARCH and their like are taken from the environment. The object files stay in the build
# cache (AOTLINK_GOCACHE). The first build only fills the cache; only then does every path in importcfg outlive go.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

each=0
if [ "${1:-}" = --each ]; then each=1; shift; fi
[ $# -ge 4 ] && [ "$3" = -- ] || die "usage: scripts/capture.sh [--each] NAME RELEASE -- ARGUMENTS"
name=$1 release=$2
shift 3
verb=(build)
if [ $each = 1 ]; then
    verb=("$1")
    shift
fi
go_env "$release"
work=$(mktemp -d "${TMPDIR:-/tmp}/aotlink-capture.XXXXXX")
trap 'rm -rf "$work"' EXIT
export AOTLINK_CAPTURE_INTO=$work/links
mkdir -p "$work/dry" "$work/bin" "$work/links"

AOTLINK_CAPTURE_DRY=1 "$GOROOT/bin/go" "${verb[@]}" "-toolexec=$ROOT/scripts/toolexec.sh" -o "$work/dry/" "$@"
"$GOROOT/bin/go" "${verb[@]}" "-toolexec=$ROOT/scripts/toolexec.sh" -o "$work/bin/" "$@"

dest=$AOTLINK_CAPTURES/$name
found=0
for link in "$work/links"/*/; do
    [ -f "$link/args" ] || continue
    while IFS= read -r line; do
        case $line in packagefile\ *)
            file=${line#*=}
            [ -f "$file" ] || die "$name: $file is gone: the link step can't be replayed"
            ;;
        esac
    done <"$link/importcfg"
    found=$((found + 1))
    if [ $each = 1 ]; then
        target=$dest/$(basename "$link")
    else
        [ $found = 1 ] || die "$name: the command links more than one program (use --each)"
        target=$dest
    fi
    rm -rf "$target"
    mkdir -p "$(dirname "$target")"
    mv "$link" "$target"
    printf '%s\n' "$GOROOT" >"$target/goroot"
done
[ $found -gt 0 ] || die "$name: nothing was linked"
say "captured $found link step(s) in $dest"
