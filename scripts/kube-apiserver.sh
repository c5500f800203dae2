#!/usr/bin/env bash
# Captures the link step of kube-apiserver, a 150 MB program, for each TARGET (default: 1.27 and 1.26), and links it with
# out/aotlink, if that is built: the bytes must be cmd/link's. A target is a release, for linux/amd64, or a release and a port.
#
#   scripts/kube-apiserver.sh [TARGET...]       1.27            later again: scripts/replay.sh 1.27/kube-apiserver out/aotlink
#                                               1.27:linux/arm  later again: scripts/replay.sh 1.27/kube-apiserver-linux-arm out/aotlink
#
# The source is Debian's package kubernetes (34 MB, everything vendored), taken from the machine's Debian mirror. Its one
# generated file is made here. A cold build takes about five minutes on two cores and 3 GB of build cache.
# AOTLINK_BUILD_FLAGS adds flags to go build (-p 1, -trimpath, …).
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$ROOT/scripts/apt.sh"
. "$ROOT/scripts/programs.sh"

[ $# -gt 0 ] || set -- 1.27 1.26
gopath=$AOTLINK_CACHE/kubernetes
tree=$gopath/src/k8s.io/kubernetes

if [ ! -f "$tree/.unpacked" ]; then
    command -v dpkg-source >/dev/null || die "dpkg-source is missing: install the package dpkg-dev"
    apt_open bookworm || die "no Debian mirror in this machine's apt sources"
    say "downloading the source of kubernetes"
    (cd "$APT_DIR/files" && apt_private source --download-only kubernetes)
    say "unpacking it"
    rm -rf "$gopath"
    mkdir -p "${tree%/*}"
    dpkg-source --no-check -x "$APT_DIR"/files/kubernetes_*.dsc "$tree" >&2
    touch "$tree/.unpacked"
fi

export GOPATH=$gopath GO111MODULE=off
cd "$tree"
if [ ! -f pkg/generated/openapi/zz_generated.openapi.go ]; then
    say "generating pkg/generated/openapi"
    (
        go_env "${1%%:*}"
        "$GOROOT/bin/go" build -o "$gopath/openapi-gen" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
        inputs=$(grep -rl --include='*.go' '+k8s:openapi-gen=true' staging/src pkg vendor/k8s.io |
            sed 's,/[^/]*$,,; s,^staging/src/,vendor/,; s,^,k8s.io/kubernetes/,' | LC_ALL=C sort -u | paste -sd, -)
        PATH=$GOROOT/bin:$PATH "$gopath/openapi-gen" --output-file-base zz_generated.openapi \
            --go-header-file hack/boilerplate/boilerplate.generatego.txt --output-base "$gopath/src" \
            --output-package k8s.io/kubernetes/pkg/generated/openapi --report-filename "$gopath/violations" \
            --input-dirs "$inputs" >"$gopath/openapi-gen.log" 2>&1 || { tail -20 "$gopath/openapi-gen.log" >&2; exit 1; }
    )
fi

# This kubernetes calls macOS as Go allowed it until 1.17: its copy of golang.org/x/sys/unix is hidden behind Debian's, which is newer.
hide_old_system_calls() {
    local sys=$gopath/x-sys overlay=$gopath/x-sys/overlay.json old=$tree/vendor/golang.org/x/sys/unix new
    new=$sys/usr/share/gocode/src/golang.org/x/sys/unix
    if [ ! -f "$overlay" ]; then
        apt_open bookworm || die "no Debian mirror in this machine's apt sources"
        say "downloading golang-golang-x-sys-dev"
        mkdir -p "$sys"
        (cd "$sys" && apt_private download golang-golang-x-sys-dev && dpkg -x golang-golang-x-sys-dev_*.deb .)
        {
            printf '{"Replace": {\n'
            {
                (cd "$new" && printf '%s\n' *.go *.s) | sed "s,.*,\"$old/&\": \"$new/&\","
                (cd "$old" && printf '%s\n' *.go *.s) | while read -r file; do [ -f "$new/$file" ] || printf '"%s/%s": ""\n' "$old" "$file"; done
            } | paste -sd, - | sed 's/,"/,\n"/g'
            printf '}}\n'
        } >"$overlay.new"
        mv "$overlay.new" "$overlay"
    fi
    AOTLINK_BUILD_FLAGS="$AOTLINK_BUILD_FLAGS -overlay=$overlay"
}

flags=${AOTLINK_BUILD_FLAGS:-}
for target; do
    AOTLINK_BUILD_FLAGS=$flags
    case $target in *:darwin/*) hide_old_system_calls ;; esac
    capture_program kube-apiserver ./cmd/kube-apiserver "$target"
done
