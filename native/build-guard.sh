#!/bin/sh
# Compiles native/guard.c or another file. Usage: build-guard.sh OUTPUT [COMPILER [TARGET-TRIPLE [SOURCE]]]
# OUTPUT ends in .o (linked into a Native AOT binary) or .so (loaded by the JIT builds that tests use; it has sha256.c, too).
# The compiler defaults to the first of $CC, clang, gcc, cc that is there; without any, exit status 3.
set -eu

output=$1
compiler=${2:-}
triple=${3:-}
source=${4:-$(dirname "$0")/guard.c}

found=
for candidate in "$compiler" "${CC:-}" clang gcc cc; do
    if [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1; then
        found=$candidate
        break
    fi
done
if [ -z "$found" ]; then
    echo "no C compiler: built without $(basename "$source")" >&2
    exit 3
fi

mkdir -p "$(dirname "$output")"
set -- -std=c99 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -fPIC -fvisibility=hidden
if [ -n "$triple" ]; then
    set -- "$@" "--target=$triple"
fi
case $output in
*.so)
    exec "$found" "$@" -fvisibility=default -shared -o "$output" "$source" "$(dirname "$0")/sha256.c"
    ;;
*)
    # An archive of one member needs no ar of the target's: the object itself is what the linker takes.
    exec "$found" "$@" -c -o "$output" "$source"
    ;;
esac
