#!/usr/bin/env bash
# The experiment this project was founded on, on our own linker: a captured program (scripts/capture.sh) is linked with its
# object data read into memory, and with it mapped read-only. Both outputs are compared with cmd/link's; what the account
# (AOTLINK_ACCOUNT) measured is printed as a Markdown table, beside what the same change did to Go 1.13's linker.
#
#   scripts/founding-experiment.sh [NAME [LINKER]]
#
# NAME is the captured program (default: kube-apiserver of scripts/kube-apiserver.sh), LINKER a command (default: out/aotlink).
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
name=${1:-1.27/kube-apiserver}
linker=${2:-$ROOT/out/aotlink}
command -v "${linker%% *}" >/dev/null || die "$linker is not there: run ./build.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# link NAME-OF-RUN VARIABLE=VALUE...
link() {
    local run=$1
    shift
    say "$name, $run"
    env "$@" AOTLINK_ACCOUNT="json:$work/$run" "$ROOT/scripts/replay.sh" "$name" "$linker" >&2
}

# figure RUN OBJECT KEY: a number of the account; OBJECT is "" for the outermost one.
figure() {
    if [ -n "$2" ]; then
        sed -n "/^  \"$2\": {/,/^  }/s/^    \"$3\": \([0-9]*\),\{0,1\}$/\1/p" "$work/$1"
    else
        sed -n "s/^  \"$3\": \([0-9]*\),\{0,1\}$/\1/p" "$work/$1"
    fi
}

# mb OBJECT KEY: the figure of both runs, in millions of bytes.
mb() {
    local run bytes
    for run in read mapped; do
        bytes=$(figure "$run" "$1" "$2")
        [ -n "$bytes" ] || die "the account has no $1 $2"
        printf ' %s MB |' "$(awk -v bytes="$bytes" 'BEGIN { printf "%.2f", bytes / 1e6 }')"
    done
}

link read AOTLINK_NO_INPUT_MAP=1
link mapped AOTLINK_NO_INPUT_MAP=0

printf '| %s | object data read | object data mapped | Go 1.13 linker: read → mapped |\n|---|---|---|---|\n' "$name"
printf '| object data mapped |%s |\n' "$(mb inputs mapped)"
printf '| object data in memory of the linker itself |%s 669.87 → 441.18 MB in the reader |\n' "$(mb inputs read)"
printf '| managed heap, at most |%s |\n' "$(mb managed peak)"
printf '| native memory allocated, at most |%s |\n' "$(mb "" nativePeak)"
printf '| private memory, at most |%s 1598.75 → 1280.45 MB heap in use |\n' "$(mb "" privatePeak)"
printf '| resident, maps included, at most |%s |\n' "$(mb "" residentPeak)"
printf '| private copies of object data |%s |\n' "$(mb privateCopies bytes)"
