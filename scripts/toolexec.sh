#!/bin/sh
# For go build -toolexec: saves every link step below AOTLINK_CAPTURE_INTO, then runs the tool.
#
# One folder per link step, named after the package: args (one argument per line; @OUT@, @IMPORTCFG@, @MAIN@ and @RSP@
# stand for the files), env (the variables that cmd/link reads), importcfg, main.a, rsp (a response file, if go passed
# one) and ref, the very bytes that the toolchain's linker wrote, before go stamps the build ID.
#
# With AOTLINK_CAPTURE_DRY=1 links leave an empty file instead: for a first build that only fills the cache.
set -eu
tool=$1
shift
if [ "${tool##*/}" != link ] || [ "${1#-V}" != "$1" ]; then
    exec "$tool" "$@"
fi

if [ "${AOTLINK_CAPTURE_DRY:-0}" = 1 ]; then
    while [ $# -gt 1 ]; do
        if [ "$1" = -o ]; then : >"$2"; exit 0; fi
        shift
    done
    exit 0
fi

name=$(printf %s "${TOOLEXEC_IMPORTPATH:-main}" | sed 's/ .*//; s,[^A-Za-z0-9._-],_,g')
dir=$AOTLINK_CAPTURE_INTO/$name
rm -rf "$dir"
mkdir -p "$dir"
env | grep -E '^GO[A-Z0-9_]*=' | grep -v -E '^GO(AUTH|CACHE|ENV|FLAGS|MODCACHE|PATH|PROXY|SUMDB|TELEMETRY|TELEMETRYDIR|TMPDIR|WORK)=' | sort >"$dir/env"
printf '%s\n' "$tool" >"$dir/tool"

# The command as it is to be replayed: files by placeholder.
: >"$dir/args"
out=
previous=
for arg; do
    last=$arg
done
count=$#
index=0
for arg; do
    index=$((index + 1))
    case $previous,$arg in
    -o,*) out=$arg; arg=@OUT@ ;;
    -importcfg,*) cp "$arg" "$dir/importcfg"; previous=; arg=@IMPORTCFG@ ;;
    *,@*) cp "${arg#@}" "$dir/rsp"; arg=@RSP@ ;;
    *) if [ "$index" = "$count" ]; then arg=@MAIN@; cp "$last" "$dir/main.a"; fi ;;
    esac
    printf '%s\n' "$arg" >>"$dir/args"
    previous=$arg
done

"$tool" "$@"
if [ -n "$out" ] && [ -f "$out" ]; then cp "$out" "$dir/ref"; fi
