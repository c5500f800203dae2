#!/usr/bin/env bash
# Builds aotlink for other hosts than this one and, where something here can run it, links real programs with it: the bytes must be those
# that cmd/link writes here. On Linux, x86-64.
#
#   scripts/other-hosts.sh [--build] HOST...
#
#   windows       CoreCLR, under Wine; the mapping layer by itself, too        needs wine64
#   windows-aot   Native AOT, linked here (native/windows), under Wine         needs wine64 clang lld llvm mingw-w64-x86-64-dev
#   linux-arm64   Native AOT, linked here, under QEMU       needs clang lld gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user
#   macos         compiled, for there is nothing here to run it
#
# The names are those of Debian's packages; install them with --no-install-recommends. --build: build only, into out/HOST. What was built
# also takes part in later runs of ./build.sh test and conformance.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
use_dotnet
cd "$ROOT"

# publish HOST RID OPTION...
publish() {
    local host=$1 rid=$2
    shift 2
    say "building out/$host"
    # Linkers of another make leave files that the next one trips over.
    rm -rf "out/$host" "src/AotLinker.Cli/obj/Release/net10.0/$rid/native"
    quietly dotnet publish src/AotLinker.Cli -c Release -r "$rid" -o "out/$host" -v q -nologo "$@"
}

needs() {
    local tool
    for tool in "$@"; do
        command -v "$tool" >/dev/null || [ -x "/usr/lib/wine/$tool" ] || die "$tool is not here: see the head of this script for the packages"
    done
}

build_host() {
    case $1 in
    windows) publish windows win-x64 --self-contained -p:PublishAot=false ;;
    windows-aot)
        needs clang++ lld-link llvm-dlltool
        publish windows-aot win-x64 -p:DisableUnsupportedError=true -p:IlcUseEnvironmentalTools=true -p:CETCompat=skip \
            -p:NativeDebugSymbols=false -p:CppLinker="$ROOT/native/windows/link.sh"
        ;;
    linux-arm64)
        needs clang ld.lld aarch64-linux-gnu-gcc
        publish linux-arm64 linux-arm64 -p:CppCompilerAndLinker=clang -p:LinkerFlavor=lld
        ;;
    macos)
        say "compiling for osx-arm64 and osx-x64, warnings being errors"
        local rid
        for rid in osx-arm64 osx-x64; do
            quietly dotnet build src/AotLinker.Cli -c Release -r "$rid" --no-self-contained -p:PublishAot=false -p:UseAppHost=false -v q -nologo -warnaserror
        done
        ;;
    *) die "unknown host $1" ;;
    esac
}

test_host() {
    case $1 in
    windows)
        needs wine64
        "$ROOT/scripts/mapping-windows.sh"
        ;;
    windows-aot) needs wine64 ;;
    linux-arm64) needs qemu-aarch64 ;;
    macos) return 0 ;;
    esac
    local tool
    tool=$(conformance_tool)
    "$tool" run --tier all --filter " hosts: $1: " --linker none
}

build_only=
[ "${1:-}" != --build ] || { build_only=1; shift; }
[ $# -gt 0 ] || { sed -n '2,/^set /{/^set /d; s/^# \{0,1\}//; p;}' "$0"; exit 2; }
for host in "$@"; do
    build_host "$host"
    [ -n "$build_only" ] || test_host "$host"
done
