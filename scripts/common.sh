# shellcheck shell=bash
# Shared by the scripts of this folder (sourced, not run).
#
#   AOTLINK_CACHE      where downloads and caches live     (default: .cache in the clone)
#   AOTLINK_GOCACHE    GOCACHE of every build made here    (default: $AOTLINK_CACHE/gocache)
#   AOTLINK_CAPTURES   captured link steps                 (default: $AOTLINK_CACHE/captures)
#   AOTLINK_GOROOTS    Go installations to use, separated by ':' (their VERSION file says which release each is)

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export AOTLINK_CACHE=${AOTLINK_CACHE:-$ROOT/.cache}
export AOTLINK_GOCACHE=${AOTLINK_GOCACHE:-$AOTLINK_CACHE/gocache}
export AOTLINK_CAPTURES=${AOTLINK_CAPTURES:-$AOTLINK_CACHE/captures}

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# quietly COMMAND: its output is shown only if it fails.
quietly() {
    local output
    output=$("$@" 2>&1) || { say "$output"; return 1; }
}

# Environment that keeps a build of RELEASE (1.27, 1.26, …) offline and repeatable.
go_env() {
    GOROOT=$("$ROOT/scripts/toolchain.sh" "$1")
    export GOROOT
    export GOTOOLCHAIN=local GOPROXY=off GOFLAGS=-buildvcs=false CGO_ENABLED=0 GOENV=off GOWORK=off GOCACHE="$AOTLINK_GOCACHE"
    mkdir -p "$GOCACHE"
}

# Puts a .NET SDK that can build this repository on PATH: the machine's own, else the clone's (.dotnet), which is
# installed on first use by Microsoft's install script.
use_dotnet() {
    local wanted
    wanted=$(sed -n 's/.*"version": *"\([0-9]*\.[0-9]*\).*/\1/p' "$ROOT/global.json")
    export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
    if has_sdk dotnet "$wanted"; then
        # Programs find the runtime by this, wherever the SDK was put.
        export DOTNET_ROOT=${DOTNET_ROOT:-$(dirname "$(readlink -f "$(command -v dotnet)")")}
        return
    fi
    if ! has_sdk "$ROOT/.dotnet/dotnet" "$wanted"; then install_dotnet "$wanted"; fi
    export DOTNET_ROOT=$ROOT/.dotnet PATH=$ROOT/.dotnet:$PATH
}

has_sdk() {
    command -v "$1" >/dev/null && (cd / && "$1" --list-sdks 2>/dev/null) | grep "^${2//./\\.}\." >/dev/null
}

install_dotnet() {
    say "installing the .NET $1 SDK into .dotnet"
    local script=$ROOT/.dotnet/dotnet-install.sh url=https://dot.net/v1/dotnet-install.sh
    mkdir -p "$ROOT/.dotnet"
    if command -v curl >/dev/null; then
        curl -fsSL --retry 3 -o "$script" "$url" || die "could not fetch $url: install the .NET $1 SDK yourself"
    elif command -v wget >/dev/null; then
        wget -q -O "$script" "$url" || die "could not fetch $url: install the .NET $1 SDK yourself"
    else
        die "neither curl nor wget is here: install one of them, or the .NET $1 SDK"
    fi
    bash "$script" --channel "$1" --install-dir "$ROOT/.dotnet" --no-path >&2 ||
        die "dotnet-install.sh failed: install the .NET $1 SDK yourself"
}

# Path of the conformance program, built when it is missing or older than its source. Call use_dotnet before.
conformance_tool() {
    local tool=$ROOT/out/conformance/AotLinker.Conformance source=$ROOT/tests/AotLinker.Conformance
    if [ ! -x "$tool" ] || [ -n "$(find "$source" -path '*/obj' -prune -o -path '*/bin' -prune -o -type f -newer "$tool.dll" -print | head -1)" ]; then
        say "building the conformance program"
        quietly dotnet build "$source" -c Release -o "$ROOT/out/conformance" -v q -nologo -m:1
        touch "$tool.dll"
    fi
    printf '%s\n' "$tool"
}

# captured PROGRAM [PORT [RELEASE]]: puts the name of the program's link step on the list "names", capturing it first if it isn't; one that
# can't be built here is left out. PROGRAM is etcd, kube-apiserver, cmdgo or a folder of tests/programs; a name of the last two that ends
# in -pie is that program, position-independent. The port is linux/amd64 and the release 1.27 unless given.
captured() {
    local program=$1 port=${2:-linux/amd64} release=${3:-1.27} target name
    target=$release name=$release/$program
    if [ "$port" != linux/amd64 ]; then
        target=$target:$port
        name=$name-${port/\//-}
    fi
    if [ ! -f "$AOTLINK_CAPTURES/$name/ref" ]; then
        say "capturing $name"
        if ! (capture "$program" "$port" "$target" "$name" >&2); then
            say "$name can't be built here: left out"
            return
        fi
    fi
    names+=("$name")
}

# capture PROGRAM PORT TARGET NAME: TARGET as scripts/etcd.sh takes it. Runs in a condition, where a failure does not end it.
capture() {
    local program=$1 port=$2 release=${3%%:*} name=$4 folder=$ROOT/tests/programs flags=()
    case $program in
    etcd | kube-apiserver)
        "$ROOT/scripts/$program.sh" "$3"
        return
        ;;
    *-pie) flags=(-buildmode=pie) ;;
    esac
    program=./${program%-pie}
    if [ "$program" = ./cmdgo ]; then
        folder=$("$ROOT/scripts/toolchain.sh" "$release")/src program=cmd/go
    fi
    cd "$folder" &&
        GOOS=${port%/*} GOARCH=${port#*/} "$ROOT/scripts/capture.sh" "$name" "$release" -- ${flags[@]+"${flags[@]}"} "$program"
}
