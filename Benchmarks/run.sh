#!/bin/sh
# Builds fastlike and fastlike-bench as releases, and measures. Arguments go to fastlike-bench: --help lists them.
set -eu
cd "$(dirname "$0")/.."
SWIFT=${SWIFT:-swift}
$SWIFT build -c release --product fastlike
$SWIFT build -c release --product fastlike-bench
[ -f .build/guests/hello.wasm ] || Guests/build.sh .build/guests
exec .build/release/fastlike-bench .build/release/fastlike .build/guests "$@"
