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

# Environment that keeps a build of RELEASE (1.27, 1.26, …) offline and repeatable.
go_env() {
    GOROOT=$("$ROOT/scripts/toolchain.sh" "$1")
    export GOROOT
    export GOTOOLCHAIN=local GOPROXY=off GOFLAGS=-buildvcs=false CGO_ENABLED=0 GOENV=off GOWORK=off GOCACHE="$AOTLINK_GOCACHE"
    mkdir -p "$GOCACHE"
}
