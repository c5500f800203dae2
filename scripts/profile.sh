#!/usr/bin/env bash
# Writes src/AotLinker.Cli/aotlink.mibc, the profile that the AOT compiler builds aotlink with: how often each branch of a method was taken
# while a JIT build of this source linked real programs. To be run after larger changes of hot code, and before a release.
#
#   scripts/profile.sh [FILE]
#
# The programs are those below; what is not captured is built and captured first. etcd and kube-apiserver are made from Debian's sources
# (some minutes, once) and left out where there is no Debian mirror: better then not to keep the profile. FILE is written instead, if given.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

profile=$ROOT/src/AotLinker.Cli/aotlink.mibc
if [ $# -gt 0 ]; then profile=$(realpath "$1"); fi
use_dotnet
tool=$(conformance_tool)
say "building aotlink for the JIT"
quietly dotnet build "$ROOT/src/AotLinker.Cli" -c Release -o "$ROOT/out/profile" -v q -nologo

names=()
for program in hello server cmdgo etcd kube-apiserver; do captured "$program"; done
steps=()
for name in "${names[@]}"; do steps+=("$name" "$name,-s,-w"); done

names=()
for port in linux/arm64 linux/386 linux/arm linux/ppc64le linux/s390x linux/riscv64 darwin/arm64 windows/amd64; do captured server "$port"; done
captured hello js/wasm
captured server-pie
captured server linux/amd64 1.26
captured server-pie linux/amd64 1.26
steps+=("${names[@]}")

"$tool" profile "$profile" "$ROOT/out/profile" "${steps[@]}"
