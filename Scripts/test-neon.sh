#!/usr/bin/env bash
# Compiles the kernels for 64-bit Arm and compares them with the portable ones in an emulator.
# Needs Debian's gcc-aarch64-linux-gnu and qemu-user-static, and installs them.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v aarch64-linux-gnu-gcc >/dev/null || ! command -v qemu-aarch64-static >/dev/null; then
    sudo=""
    [ "$(id -u)" = 0 ] || sudo="sudo"
    $sudo apt-get update -qq >&2
    $sudo apt-get install -y -qq gcc-aarch64-linux-gnu qemu-user-static >&2
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Clang, as Swift has it: the kernels use its vector types. Headers and linker are Debian's.
clang --target=aarch64-linux-gnu -O2 -static -fuse-ld=lld \
    --gcc-toolchain=/usr -isystem /usr/aarch64-linux-gnu/include \
    -L/usr/aarch64-linux-gnu/lib -ISources/CKernels/include \
    Sources/CKernels/*.c Tests/CrossTests/kernels.c -lm -o "$scratch/kernels"
qemu-aarch64-static -cpu max "$scratch/kernels"
