# shellcheck shell=bash
# Programs from Debian's archive (sourced after common.sh, by the script of each program, with GOPATH set and in its folder).

# capture_program NAME PACKAGE TARGET...: for each target, a release or RELEASE:GOOS/GOARCH, builds the program (GOPATH mode),
# saves its link step as RELEASE/NAME or RELEASE/NAME-GOOS-GOARCH, and links it with out/aotlink, if that is built. Without a port
# it is linux/amd64. Returns 1 if aotlink's bytes were not cmd/link's.
capture_program() {
    local program=$1 package=$2 target release port name failed=0
    shift 2
    export GO111MODULE=off
    for target; do
        release=${target%%:*}
        port=linux/amd64
        name=$release/$program
        if [ "$target" != "$release" ]; then
            port=${target#*:}
            name=$name-${port/\//-}
        fi
        say "building $program for $port with Go $release"
        # shellcheck disable=SC2086 # several flags
        GOOS=${port%/*} GOARCH=${port#*/} "$ROOT/scripts/capture.sh" "$name" "$release" -- ${AOTLINK_BUILD_FLAGS:-} "$package"
        if [ -x "$ROOT/out/aotlink" ]; then
            say "linking $name: cmd/link, then aotlink"
            "$ROOT/scripts/replay.sh" "$name" real
            "$ROOT/scripts/replay.sh" "$name" "$ROOT/out/aotlink" || failed=1
        fi
    done
    return $failed
}
