#!/usr/bin/env bash
# Runs the mapping layer's Windows half under Wine and compares its files with those this host writes: mapped, through
# buffers, replaced, abandoned; and that stray writes fault. Needs Debian's wine64 (no recommended packages).
# Usage: scripts/mapping-windows.sh
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
use_dotnet

wine=$(command -v wine64 || true)
[ -n "$wine" ] || wine=/usr/lib/wine/wine64
[ -x "$wine" ] || die "no wine64: apt-get install --no-install-recommends wine64"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export WINEDEBUG=-all LC_ALL=C.UTF-8 WINEPREFIX=$AOTLINK_CACHE/wine
mkdir -p "$AOTLINK_CACHE"

say "publishing for win-x64 and building for this host"
dotnet publish "$ROOT/tests/MappingDriver" -r win-x64 -c Debug --self-contained -p:PublishAot=false -o "$work/win" -v q
dotnet build "$ROOT/tests/MappingDriver" -o "$work/host" -v q -p:WarningLevel=0 >/dev/null
mkdir "$work/files" && cd "$work/files"

windows() { timeout 120 "$wine" "$work/win/mapping-driver.exe" "$@" </dev/null 2>"$work/stderr" | tr -d '\r'; }
failed=0
check() { if [ "$2" = "$3" ]; then say "ok   $1"; else say "FAIL $1: '$2' instead of '$3'"; failed=1; fi; }

"$work/host/mapping-driver" write host 5000003 >/dev/null
windows write mapped 5000003 >report; check "mapped" "$(grep -o 'mapped=[0-9]*' report)" "mapped=5000003"
check "mapped: same bytes" "$(sha256sum <mapped)" "$(sha256sum <host)"
windows write buffered 5000003 --buffered >report; check "buffered" "$(grep -o 'mapped=[0-9]*' report)" "mapped=0"
check "buffered: same bytes" "$(sha256sum <buffered)" "$(sha256sum <host)"
echo old >replaced; windows write replaced 5000003 >/dev/null
check "replaced: same bytes" "$(sha256sum <replaced)" "$(sha256sum <host)"
check "input is mapped" "$(windows sum host)" "$("$work/host/mapping-driver" sum host)"
windows write abandoned 5000003 --abandon >/dev/null || true
windows write none/out 100 >/dev/null && check "missing folder" "success" "an error" || true
check "missing folder" "$(sed 's/: [^:]*$//' "$work/stderr")" "link: cannot create none/out: open none/out"
check "nothing left" "$(ls -A | sort | tr '\n' ' ')" "buffered host mapped replaced report "
windows stray-write host >stray || true
check "a stray write to an input faults" "$(cat stray)" ""
windows stray-write-sealed sealed >stray || true
check "a stray write to a sealed output faults" "$(cat stray)" ""
check "the input is unchanged" "$(sha256sum <host)" "$(sha256sum <mapped)"
exit $failed
