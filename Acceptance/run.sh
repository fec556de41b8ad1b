#!/bin/sh
# Real clients against servers of the shipped model, all on loopback. Usage: run.sh MARTLET MODEL [PART…]
#
# Parts: openai lm_eval openapi metrics dashboard plans load compare. A part whose tool is missing is
# skipped, and said so; LLAMA_SERVER names llama.cpp's server, SHOTS a folder for screenshots.
set -eu
martlet=$(realpath "$1")
model=$(realpath "$2")
shift 2
cd "$(dirname "$0")"
venv=${XDG_CACHE_HOME:-$HOME/.cache}/martlet/acceptance
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --requirement requirements.txt

skipped=
wanted() {
    part=$1
    shift
    case " $parts " in *" $part "*) ;; *) return 1 ;; esac
    for tool in "$@"; do
        command -v "$tool" >/dev/null && continue
        echo "skipped: $part, there is no $tool (${package:-install it})"
        skipped="$skipped $part"
        return 1
    done
    echo "== $part"
}
run() { "$venv/bin/python" "$@"; }

parts="${*:-openai lm_eval openapi metrics dashboard plans load compare}"
if wanted openai; then run openai_client.py "$martlet" "$model"; fi
if wanted lm_eval; then run lm_eval_client.py "$martlet" "$model"; fi
if wanted openapi; then run openapi_cases.py "$martlet" "$model" "$venv/bin/schemathesis" "${CASES:-10000}"; fi
package="Debian's prometheus"
if wanted metrics prometheus promtool; then run metrics.py "$martlet" "$model"; fi
package="Debian's chromium and chromium-driver"
if wanted dashboard chromium chromedriver; then run dashboard.py "$martlet" "$model" ${SHOTS:+"$SHOTS"}; fi
if wanted plans; then run bad_plans.py "$martlet" "$model"; fi
if wanted load; then run load.py "$martlet" "$model" "${SECONDS_OF_LOAD:-60}"; fi
package="llama.cpp; or set LLAMA_SERVER"
llama=${LLAMA_SERVER:-llama-server}
if wanted compare "$llama"; then run compare_llama.py "$martlet" "$llama" "$model"; fi
echo "acceptance: passed${skipped:+, skipped:$skipped}"
