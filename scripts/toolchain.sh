#!/usr/bin/env bash
# Prints the GOROOT of a Go release, fetching the release first if the machine has none.
#
#   scripts/toolchain.sh 1.27          one minor release; the patch release is whichever is there
#   scripts/toolchain.sh --list        what is already there, one "release GOROOT" per line
#
# Looked for in this order: the folders named by AOTLINK_GOROOTS, the cache of this clone (AOTLINK_CACHE), the go on
# PATH, the places where distributions put releases side by side. If none has the release, and the machine is a Debian
# with network, the packages golang-1.NN-go and golang-1.NN-src are downloaded (not installed) into the cache through a
# private apt configuration; nothing outside the cache is changed.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$ROOT/scripts/apt.sh"

# Minor release of the tree at $1, empty when it is not a usable GOROOT with cmd/link in source and binary form.
release_of() {
    [ -x "$1/bin/go" ] && [ -f "$1/VERSION" ] && [ -d "$1/src/runtime" ] || return 0
    sed -n '1s/^go\(1\.[0-9]*\).*/\1/p' "$1/VERSION"
}

candidates() {
    local IFS=: dir
    for dir in ${AOTLINK_GOROOTS:-}; do printf '%s\n' "$dir"; done
    for dir in "$AOTLINK_CACHE"/toolchains/*/usr/lib/go-*; do printf '%s\n' "$dir"; done
    if command -v go >/dev/null; then (cd / && GOTOOLCHAIN=local go env GOROOT 2>/dev/null) || true; fi
    for dir in /usr/lib/go-1.* /usr/lib/golang /usr/local/go; do printf '%s\n' "$dir"; done
}

find_goroot() {
    local dir
    while IFS= read -r dir; do
        if [ -n "$dir" ] && [ "$(release_of "$dir")" = "$1" ]; then
            printf '%s\n' "$dir"
            return
        fi
    done < <(candidates)
    return 1
}

suite_of() {
    case $1 in
    1.2[5-9] | 1.[3-9]?) echo trixie-backports ;;
    1.24) echo trixie ;;
    1.2[123]) echo bookworm-backports ;;
    *) return 1 ;;
    esac
}

fetch_debian() {
    local release=$1 suite dest arch deb
    suite=$(suite_of "$release") || return 1
    command -v dpkg >/dev/null || return 1
    apt_open "$suite" || return 1
    dest=$AOTLINK_CACHE/toolchains/$release
    arch=$(dpkg --print-architecture)
    say "downloading Go $release (golang-$release-go, golang-$release-src)"
    (cd "$APT_DIR/files" && rm -f "golang-$release-"*.deb &&
        apt_private download "golang-$release-go:$arch" "golang-$release-src") || return 1
    rm -rf "$dest.tmp"
    mkdir -p "$dest.tmp"
    for deb in "$APT_DIR/files/golang-$release-"*.deb; do dpkg -x "$deb" "$dest.tmp"; done
    rm -rf "$dest" "$APT_DIR/files/golang-$release-"*.deb
    mv "$dest.tmp" "$dest"
}

case ${1:-} in
--list)
    while IFS= read -r dir; do
        release=$(release_of "$dir")
        if [ -n "$release" ]; then printf '%s %s\n' "$release" "$dir"; fi
    done < <(candidates) | sort -u
    ;;
1.[0-9]*)
    if find_goroot "$1"; then exit 0; fi
    mkdir -p "$AOTLINK_CACHE"
    (
        # Two runs at once wait for each other rather than download twice.
        if command -v flock >/dev/null; then flock 9; fi
        find_goroot "$1" >/dev/null || fetch_debian "$1"
    ) 9>"$AOTLINK_CACHE/.toolchain.lock" || true
    find_goroot "$1" ||
        die "Go $1 is not here and could not be fetched: install it and put go on PATH, or set AOTLINK_GOROOTS to its folder"
    ;;
*)
    die "usage: scripts/toolchain.sh 1.NN | --list"
    ;;
esac
