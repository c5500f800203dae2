#!/usr/bin/env bash
# Builds and tests AotLinker. What is missing is set up where it can be, with one line for each step.
#
#   ./build.sh               the linker as a native program: out/aotlink
#   ./build.sh demo          links a real Go program with cmd/link and with aotlink, runs it, prints a small table
#   ./build.sh test          all tests, with the part of the conformance suite that every run has
#   ./build.sh conformance   the whole conformance suite, with a table (hours on a cold cache; options are passed on)
#   ./build.sh bench         links programs with cmd/link and aotlink in turn; times, memory and growth as tables; options: scripts/bench.sh
#   ./build.sh profile       writes the compiler's profile anew, src/AotLinker.Cli/aotlink.mibc: after larger changes of hot code
#   ./build.sh microbench    times the hot kernels on their own; options go to BenchmarkDotNet
#   ./build.sh format        checks the format of the sources; format --fix mends it
#
# Test and conformance end with one line, "N passed, N failed", and fail if anything did. Go toolchains, builds and
# references are kept in .cache; see scripts/common.sh for how to share or move it.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/scripts/common.sh"
cd "$ROOT"

# A C compiler links the native program. Sets LINKER_OPTION for the publish command.
use_c_compiler() {
    LINKER_OPTION=()
    if command -v clang >/dev/null; then return; fi
    if ! command -v gcc >/dev/null; then
        install_packages "a C compiler" gcc
        command -v gcc >/dev/null || die "no C compiler: install gcc or clang with the C library's headers"
    fi
    LINKER_OPTION=(-p:CppCompilerAndLinker=gcc)
}

# install_packages WHAT PACKAGE: by the system's package manager, when root.
install_packages() {
    local what=$1 package=$2 log
    if [ "$(id -u)" != 0 ]; then
        die "$what is missing: install the package $package (this script does it when run as root)"
    fi
    say "installing $what ($package)"
    log=$(mktemp)
    if command -v apt-get >/dev/null; then
        local extra=''
        if [ "$package" = gcc ]; then extra=libc6-dev; fi
        # shellcheck disable=SC2086 # one or two packages
        { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$package" $extra; } >"$log" 2>&1
    elif command -v dnf >/dev/null; then
        dnf -q -y install "$package" >"$log" 2>&1
    elif command -v zypper >/dev/null; then
        zypper -q -n install "$package" >"$log" 2>&1
    elif command -v pacman >/dev/null; then
        pacman -Sy --noconfirm "$package" >"$log" 2>&1
    elif command -v apk >/dev/null; then
        apk add -q "$package" musl-dev >"$log" 2>&1
    else
        die "no known package manager: install $package"
    fi || { tail -5 "$log" >&2; die "could not install $package"; }
    rm -f "$log"
}

rid() {
    local system machine
    case $(uname -s) in
    Linux) system=linux ;;
    Darwin) system=osx ;;
    *) die "on $(uname -s) this script does not know how to build; on Windows use build.cmd" ;;
    esac
    case $(uname -m) in
    x86_64 | amd64) machine=x64 ;;
    aarch64 | arm64) machine=arm64 ;;
    *) die "Native AOT does not support $(uname -m)" ;;
    esac
    printf '%s-%s\n' "$system" "$machine"
}

build() {
    use_dotnet
    use_c_compiler
    say "building out/aotlink"
    local publish=out/publish
    rm -rf "$publish"
    quietly dotnet publish src/AotLinker.Cli -c Release -r "$(rid)" -o "$publish" -v q -nologo \
        ${LINKER_OPTION[@]+"${LINKER_OPTION[@]}"}
    # A running aotlink can't be written over: the new one takes its name.
    mv "$publish/aotlink" out/aotlink
    rm -rf out/symbols
    mv "$publish" out/symbols
    say "built out/aotlink ($(($(wc -c <out/aotlink) / 1024)) KB); its debug symbols are in out/symbols"
}

# Runs the unit tests; adds to PASSED and FAILED.
unit_tests() {
    local results=out/test-results code=0 file
    rm -rf "$results"
    say "unit tests"
    dotnet test tests/AotLinker.Tests -c Release -nologo -v q --logger trx --results-directory "$results" >&2 || code=$?
    local found=0
    for file in "$results"/*.trx; do
        [ -f "$file" ] || continue
        found=1
        count "$(grep -o '<Counters [^>]*>' "$file")"
    done
    if [ $found = 0 ]; then
        say "the unit tests did not run"
        FAILED=$((FAILED + 1))
    elif [ $code != 0 ] && [ $FAILED = 0 ]; then
        say "the unit test run ended with exit code $code"
        FAILED=$((FAILED + 1))
    fi
}

# Where Wine is, the Windows build takes part in the conformance suite.
other_hosts() {
    [ "$(uname -sm)" = "Linux x86_64" ] || return 0
    command -v wine64 >/dev/null || [ -x /usr/lib/wine/wine64 ] || return 0
    scripts/other-hosts.sh --build windows || { say "the Windows build failed"; FAILED=$((FAILED + 1)); }
}

# count COUNTERS: what did not pass, for whatever reason, has failed.
count() {
    local total passed
    total=$(sed -n 's/.* total="\([0-9]*\)".*/\1/p' <<<"$1")
    passed=$(sed -n 's/.* passed="\([0-9]*\)".*/\1/p' <<<"$1")
    PASSED=$((PASSED + passed))
    FAILED=$((FAILED + total - passed))
}

# Runs the conformance suite with the given options; adds to PASSED and FAILED.
conformance_tests() {
    local tool log code=0 line
    tool=$(conformance_tool)
    log=$(mktemp)
    "$tool" run "$@" | tee "$log" || code=$?
    line=$(tail -1 "$log")
    rm -f "$log"
    if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
        PASSED=$((PASSED + BASH_REMATCH[1]))
        FAILED=$((FAILED + BASH_REMATCH[2]))
    else
        say "the conformance suite did not run to its end"
        FAILED=$((FAILED + 1))
    fi
    if [ $code != 0 ] && [ $FAILED = 0 ]; then FAILED=1; fi
}

finish() {
    printf '%s passed, %s failed\n' "$PASSED" "$FAILED"
    [ "$FAILED" = 0 ]
}

format() {
    use_dotnet
    local gofmt unformatted
    if [ "${1:-}" = --fix ]; then
        dotnet format AotLinker.sln
    else
        # The build checks style and names; what it can't see are line ends and the like.
        quietly dotnet build AotLinker.sln -c Release -v q -nologo
        dotnet format whitespace AotLinker.sln --verify-no-changes
    fi
    gofmt=$(scripts/toolchain.sh --list | tail -1 | cut -d' ' -f2)/bin/gofmt
    if [ ! -x "$gofmt" ]; then
        say "no Go toolchain is here yet: the Go sources were not checked"
    elif [ "${1:-}" = --fix ]; then
        "$gofmt" -w tests/programs tests/broken tests/hostobject* tests/external
    else
        unformatted=$("$gofmt" -l tests/programs tests/broken tests/hostobject* tests/external)
        [ -z "$unformatted" ] || die "gofmt would change: $unformatted"
    fi
    say "the format is right"
}

# The format of the sources, as one more test; adds to PASSED or FAILED.
format_test() {
    if "$ROOT/build.sh" format >&2; then PASSED=$((PASSED + 1)); else FAILED=$((FAILED + 1)); fi
}

PASSED=0 FAILED=0
command=${1:-build}
[ $# = 0 ] || shift
case $command in
build) build ;;
demo)
    build
    tool=$(conformance_tool)
    "$tool" demo "$@"
    ;;
test)
    build
    unit_tests
    other_hosts
    conformance_tests --tier ci "$@"
    format_test
    finish
    ;;
conformance)
    build
    conformance_tests --tier all "$@"
    [ "$FAILED" = 0 ]
    ;;
bench)
    build
    scripts/bench.sh "$@"
    ;;
profile) scripts/profile.sh "$@" ;;
microbench)
    use_dotnet
    dotnet run --project tests/AotLinker.Benchmarks -c Release -- --inProcess "${@:---filter=*}"
    ;;
format) format "$@" ;;
*)
    sed -n '2,/^set /{/^set /d; s/^# \{0,1\}//; p;}' "$0"
    [ "$command" = help ] || [ "$command" = --help ] || exit 2
    ;;
esac
