#!/usr/bin/env bash
# Times martlet and llama.cpp in turn on the same files and prints the ratios.
#
#   Benchmarks/compare-llama.sh SCRATCH [--shapes small,olmoe-1b-7b] [--quants q8_0,q4_0,q4_k]
#                               [--threads 1,2] [--repetitions 5] [--markdown FILE]
#
# SCRATCH is a folder for what is downloaded and built: llama.cpp as PyPI's llama-cpp-python carries
# it (about ten minutes), and model files with random weights in real shapes (0.4 to 8 GB each).
# What is there already is used again.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ $# -lt 1 ] || [[ "$1" == -* ]]; then
    sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
    exit 64
fi
scratch=$(mkdir -p "$1" && cd "$1" && pwd)
shift
version=0.3.36

if [ ! -x "$scratch/python/bin/cmake" ]; then
    echo "compare: installing Python packages into $scratch/python" >&2
    python3 -m venv "$scratch/python"
    "$scratch/python/bin/pip" -q install cmake ninja gguf numpy scikit-build-core setuptools-scm
fi
export PATH="$scratch/python/bin:$PATH"

if [ ! -x "$scratch/llama/bin/llama-batched-bench" ]; then
    echo "compare: building llama.cpp of llama-cpp-python $version, about ten minutes" >&2
    pip -q download --no-deps --no-build-isolation --no-binary llama-cpp-python \
        "llama-cpp-python==$version" -d "$scratch"
    tar xzf "$scratch/llama_cpp_python-$version.tar.gz" -C "$scratch"
    cmake -S "$scratch/llama_cpp_python-$version/vendor/llama.cpp" -B "$scratch/llama" -G Ninja \
        -DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=ON -DLLAMA_CURL=OFF -DLLAMA_BUILD_TESTS=OFF \
        -DLLAMA_BUILD_COMMIT=none -DLLAMA_BUILD_NUMBER=0 >"$scratch/llama-build.log"
    cmake --build "$scratch/llama" -t llama-bench llama-batched-bench >>"$scratch/llama-build.log"
fi

martlet=${MARTLET:-$(make -s build | tail -1)}
exec "$scratch/python/bin/python" Benchmarks/compare_llama.py \
    --martlet "$martlet" --llama "$scratch/llama/bin" --models "$scratch/models" "$@"
