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

# Address of the Debian archive (not the security archive) in the machine's own apt sources.
debian_mirror() {
    apt-get indextargets --format '$(SITE) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
        awk '$2 !~ /security/ && $2 ~ /debian\/?$/ { print $2; exit }'
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
    local release=$1 suite mirror apt dest arch
    suite=$(suite_of "$release") || return 1
    command -v apt-get >/dev/null && command -v dpkg >/dev/null || return 1
    mirror=$(debian_mirror)
    [ -n "$mirror" ] || return 1
    dest=$AOTLINK_CACHE/toolchains/$release
    apt=$AOTLINK_CACHE/apt/$suite
    arch=$(dpkg --print-architecture)
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/debs"
    : >"$apt/status"
    # The suites are newer than the machine: its keyring may not know their key. Debian's archive key is tried first.
    local keyring=/usr/share/keyrings/debian-archive-keyring.gpg option="signed-by=$keyring"
    [ -f "$keyring" ] || option=trusted=yes
    write_apt_conf "$apt" "$option" "$mirror" "$suite"
    say "go $release: reading the package list of $suite"
    if ! apt_private "$apt" update; then
        write_apt_conf "$apt" trusted=yes "$mirror" "$suite"
        apt_private "$apt" update || return 1
    fi
    say "go $release: downloading golang-$release-go and golang-$release-src"
    (cd "$apt/debs" && rm -f "golang-$release-"*.deb &&
        apt_private "$apt" download "golang-$release-go:$arch" "golang-$release-src") || return 1
    rm -rf "$dest.tmp"
    mkdir -p "$dest.tmp"
    local deb
    for deb in "$apt/debs/golang-$release-"*.deb; do dpkg -x "$deb" "$dest.tmp"; done
    rm -rf "$dest" "$apt/debs/golang-$release-"*.deb
    mv "$dest.tmp" "$dest"
}

write_apt_conf() {
    printf 'deb [%s] %s %s main\n' "$2" "$3" "$4" >"$1/sources.list"
    cat >"$1/apt.conf" <<CONF
Dir::Etc::sourcelist "$1/sources.list";
Dir::Etc::sourceparts "-";
Dir::State "$1";
Dir::State::lists "$1/lists";
Dir::State::status "$1/status";
Dir::Cache "$1/cache";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
CONF
}

apt_private() {
    local conf=$1/apt.conf
    shift
    APT_CONFIG=$conf apt-get -qq -o APT::Update::Error-Mode=any "$@" >&2
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
