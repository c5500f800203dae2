#!/usr/bin/env bash
# Captures the link step of etcd, a 35 MB server, for each TARGET (default: 1.27 and 1.26), and links it with out/aotlink, if
# that is built: the bytes must be cmd/link's. A target is a release, for linux/amd64, or a release and a port.
#
#   scripts/etcd.sh [TARGET...]       1.27            later again: scripts/replay.sh 1.27/etcd out/aotlink
#                                     1.27:linux/arm  later again: scripts/replay.sh 1.27/etcd-linux-arm out/aotlink
#
# The source is Debian's package golang-etcd-server-dev with the Go libraries that it depends on (66 MB), downloaded, not
# installed, from the machine's Debian mirror. AOTLINK_BUILD_FLAGS adds flags to go build (-p 1, -trimpath, …).
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$ROOT/scripts/apt.sh"
. "$ROOT/scripts/programs.sh"

[ $# -gt 0 ] || set -- 1.27 1.26
tree=$AOTLINK_CACHE/etcd

if [ ! -f "$tree/.unpacked" ]; then
    command -v dpkg >/dev/null || die "etcd's source comes from Debian's packages, and there is no dpkg here"
    apt_open bookworm || die "no Debian mirror in this machine's apt sources"
    say "downloading golang-etcd-server-dev and the libraries it needs"
    packages=$(apt_closure golang-etcd-server-dev | grep -E '^golang-.*-dev$') || die "Debian's package list has no golang-etcd-server-dev"
    rm -rf "$tree" "$APT_DIR/files/etcd"
    mkdir -p "$tree" "$APT_DIR/files/etcd"
    # shellcheck disable=SC2086 # many packages
    (cd "$APT_DIR/files/etcd" && apt_private download $packages)
    say "unpacking them"
    for deb in "$APT_DIR"/files/etcd/*.deb; do dpkg -x "$deb" "$tree"; done
    rm -rf "$APT_DIR/files/etcd"
    touch "$tree/.unpacked"
fi

export GOPATH=$tree/usr/share/gocode
cd "$GOPATH/src"
capture_program etcd ./go.etcd.io/etcd "$@"
