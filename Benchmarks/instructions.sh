#!/usr/bin/env bash
# Counts the instructions of one decoded token of the shipped model and compares them with the
# threshold in instructions.txt. Instructions repeat where seconds do not.
#
#   Benchmarks/instructions.sh [--update]
#
# The count is that of valgrind's processor, which has AVX2. Needs Debian's valgrind, installs it.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v valgrind >/dev/null; then
    sudo=""
    [ "$(id -u)" = 0 ] || sudo="sudo"
    $sudo apt-get update -qq >&2
    $sudo apt-get install -y -qq valgrind >&2
fi
martlet=${MARTLET:-$(make -s build | tail -1)}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Valgrind cannot read the debug information of so large a program.
strip --strip-all -o "$scratch/martlet" "$martlet"
cc -shared -fPIC -o "$scratch/sigsuspend.so" Benchmarks/sigsuspend.c

# Instructions of a run that decodes $1 tokens.
count() {
    LD_PRELOAD="$scratch/sigsuspend.so" valgrind --tool=callgrind --callgrind-out-file="$scratch/out" "$scratch/martlet" generate \
        --model Models/demo-mixtral-q8_0.gguf --ids 1,2,3,4 --max-tokens "$1" --threads 1 \
        --json 2>"$scratch/log" >/dev/null
    sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$scratch/log"
}

few=$(count 8)
many=$(count 24)
[ "${few:-0}" -gt 0 ] || { tail -5 "$scratch/log" >&2; exit 1; }
token=$(((many - few) / 16))
if [ "${1:-}" = --update ]; then
    echo "$token" >Benchmarks/instructions.txt
fi
limit=$(($(cat Benchmarks/instructions.txt) * 103 / 100))
echo "instructions of a decoded token: $token, limit $limit"
if [ "$token" -gt "$limit" ]; then
    echo "instructions: more than 3 % above the threshold; if that is meant, run with --update" >&2
    exit 1
fi
