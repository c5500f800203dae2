#!/usr/bin/env bash
# Saves the link step of a program, to be replayed with any linker.
#
#   scripts/capture.sh NAME RELEASE -- FLAGS PACKAGE                        one program, into $AOTLINK_CAPTURES/NAME
#   scripts/capture.sh --each FOLDER RELEASE -- build FLAGS PACKAGES        each program that the build links, into
#   scripts/capture.sh --each FOLDER RELEASE -- test FLAGS PACKAGES         $AOTLINK_CAPTURES/FOLDER/PACKAGE
#
# FLAGS are those of go build or go test -c, without -o and -toolexec. Run it where the package is found (a module,
# GOROOT/src, a GOPATH with GO111MODULE=off). GOOS, GOARCH and their like are taken from the environment. The object
# files stay in the build cache (AOTLINK_GOCACHE).
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
use_dotnet
tool=$(conformance_tool)
exec "$tool" capture "$@"
