#!/bin/sh
# Real clients against a server of the shipped model. Usage: run.sh MARTLET MODEL
set -eu
martlet=$1
model=$2
here=$(dirname "$0")
venv=${XDG_CACHE_HOME:-$HOME/.cache}/martlet/acceptance
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --requirement "$here/requirements.txt"

log=$(mktemp)
# A published template that tells the model of functions, since the shipped model has none.
"$martlet" serve --model "$model" --http 127.0.0.1:0 \
    --template "$here/../Tests/Fixtures/templates/Qwen-Qwen2.5-7B-Instruct.jinja" 2>"$log" &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" || true; rm -f "$log"' EXIT
url=
for _ in $(seq 100); do
    url=$(sed -n 's/^listening for requests on //p' "$log")
    [ -z "$url" ] || break
    kill -0 "$server" 2>/dev/null || { cat "$log"; exit 1; }
    sleep 0.1
done
"$venv/bin/python" "$here/openai_client.py" "$url"
