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
