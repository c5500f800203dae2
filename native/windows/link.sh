#!/bin/sh
# Takes the place of Visual Studio's link.exe when a win-x64 Native AOT program is linked on Linux (MSBuild's CppLinker, called with a
# response file): compiles startup.cpp and checks.cpp, makes the import libraries, and calls lld-link. scripts/windows.sh uses it.
# Needs clang, lld, llvm and mingw-w64-x86-64-dev, whose import libraries of the system's DLLs are what Visual Studio's are elsewhere.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
response=${1#@}
libraries=/usr/x86_64-w64-mingw32/lib
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for source in startup checks; do
    clang++ --target=x86_64-pc-windows-msvc -c -O2 -Wall -fno-exceptions -fno-rtti -ffreestanding -mno-stack-arg-probe \
        "$here/$source.cpp" -o "$work/$source.obj"
done

# The universal C runtime's API sets that mingw's library of it lacks: import NAME FUNCTION...
import() {
    name=$1
    shift
    { printf 'LIBRARY api-ms-win-crt-%s-l1-1-0.dll\nEXPORTS\n' "$name"; printf '%s\n' "$@"; } >"$work/$name.def"
    llvm-dlltool -m i386:x86-64 -d "$work/$name.def" -l "$work/crt-$name.lib"
}
import private __C_specific_handler memcmp memcpy memmove strstr
import string memset strnlen
import math atan atan2 cbrt ceil cos exp floor fmod log log10 log2 modf pow sin sqrt tan

for library in advapi32 bcrypt crypt32 iphlpapi kernel32 mswsock ncrypt normaliz ntdll ole32 oleaut32 secur32 ucrt user32 uuid version ws2_32; do
    ln -s "$libraries/lib$library.a" "$work/$library.lib"
done

# lld-link knows neither source links nor debugger visualisers, and would make a library of what is exported.
sed -e '1s/^\xef\xbb\xbf//' -e '/SOURCELINK/d' -e '/NATVIS/d' -e 's,/NOEXP,,' -e 's,/NOIMPLIB,,' "$response" >"$work/link.rsp"
lld-link "@$work/link.rsp" "/LIBPATH:$work" /NODEFAULTLIB:libcmt.lib /NODEFAULTLIB:libvcruntime.lib /NODEFAULTLIB:oldnames.lib \
    /NODEFAULTLIB:libcpmt.lib "$work/startup.obj" "$work/checks.obj" "$work/crt-private.lib" "$work/crt-string.lib" "$work/crt-math.lib"
