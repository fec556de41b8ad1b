#!/usr/bin/env bash
# Checks for a Swift 6.3 toolchain and installs the Debian packages that building needs.
set -euo pipefail

if ! command -v swift >/dev/null; then
    echo "setup: no swift on the PATH; install Swift 6.3 from swift.org/install" >&2
    exit 1
fi
version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -1)
if [ "$(printf '%s\n6.2\n' "$version" | sort -V | head -1)" != "6.2" ]; then
    echo "setup: Swift $version is too old; install Swift 6.3 from swift.org/install" >&2
    exit 1
fi

# Command, and the Debian package that has it.
missing=()
for pair in git:git; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
# SQLite holds calibration profiles.
[ -e /usr/include/sqlite3.h ] || missing+=("libsqlite3-dev")
if [ "${#missing[@]}" -gt 0 ]; then
    echo "setup: installing ${missing[*]}" >&2
    sudo=""
    [ "$(id -u)" = 0 ] || sudo="sudo"
    $sudo apt-get update -qq >&2
    $sudo apt-get install -y -qq "${missing[@]}" >&2
fi
