#!/usr/bin/env bash
# A base station and devices in network namespaces of their own, with the kernel's rate limits between them:
# the emulated cell without a process of ours in the way. Needs root, iproute2 and python3.
#
#   deploy/testbed.sh MARTLET MODEL.gguf SCENARIO.yaml [option of "martlet generate" …]
#   deploy/testbed.sh ./martlet M.gguf Scenarios/laptop.yaml --prompt "Once upon a time" --max-tokens 32
#
# Each device has the rates of an equal share at its mean gain, each way, by tc tbf; delay by netem where the
# kernel has it. Not emulated, unlike "martlet cell": fading, motion, outages, one air for both ways.
# Everything is gone when it ends, however it ends.
set -euo pipefail

if [ $# -lt 3 ]; then
    sed -n '2,10s/^# \{0,1\}//p' "$0" >&2
    exit 64
fi
martlet=$(realpath "$1")
model=$(realpath "$2")
scenario=$(realpath "$3")
shift 3
tag=mt$$
work=$(mktemp -d)
pids=()

cleanup() {
    trap - EXIT INT TERM
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    for space in $(ip netns list | awk -v tag="$tag-" 'index($1, tag) == 1 { print $1 }'); do
        ip netns del "$space"
    done
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# The cell knows what the scenario comes to: a line of JSON, then we need it no more.
"$martlet" cell --scenario "$scenario" --model "$model" --to 127.0.0.1:1 --listen 127.0.0.1:0 \
    --control 0 --json >"$work/settings" &
cell=$!
pids+=("$cell")
for _ in $(seq 100); do
    [ -s "$work/settings" ] && break
    sleep 0.05
done
python3 - "$work/settings" >"$work/devices" <<'PYTHON'
import json
import sys

settings = json.loads(open(sys.argv[1]).readline())
for device in settings["devices"]:
    print(device["name"], int(device["bitsPerSecondDown"]), int(device["bitsPerSecondUp"]),
          settings["delaySeconds"])
PYTHON
kill "$cell"

# limit SPACE INTERFACE RATE DELAY
limit() {
    local parent=root
    if $has_netem; then
        ip netns exec "$1" tc qdisc add dev "$2" root handle 1: netem delay "$4"s limit 10000
        parent="parent 1: handle 10:"
    fi
    # shellcheck disable=SC2086 # two words on purpose
    ip netns exec "$1" tc qdisc add dev "$2" $parent tbf rate "$3" burst 2kb latency 400ms
}

base=$tag-base
ip netns add "$base"
ip -n "$base" link set lo up
ip -n "$base" link add cell type bridge
ip -n "$base" addr add 10.77.0.1/24 dev cell
ip -n "$base" link set cell up
has_netem=false
if ip netns exec "$base" tc qdisc add dev lo root netem delay 1ms 2>/dev/null; then
    has_netem=true
    ip netns exec "$base" tc qdisc del dev lo root
else
    echo "testbed: this kernel has no netem, so there is no delay" >&2
fi

count=0
while read -r name down up delay; do
    space=$tag-$count
    ip netns add "$space"
    ip -n "$space" link set lo up
    ip -n "$base" link add "port$count" type veth peer name air netns "$space"
    ip -n "$base" link set "port$count" master cell up
    ip -n "$space" addr add "10.77.0.$((10 + count))/24" dev air
    ip -n "$space" link set air up
    limit "$base" "port$count" "$down" "$delay"
    limit "$space" air "$up" "$delay"
    echo "testbed: $name at 10.77.0.$((10 + count)): $((down / 1000)) kbit/s down, $((up / 1000)) up" >&2
    ip netns exec "$space" "$martlet" join 10.77.0.1:7070 --name "$name" --cache none --threads 1 \
        --quiet &
    pids+=("$!")
    count=$((count + 1))
done <"$work/devices"

ip netns exec "$base" "$martlet" generate --model "$model" --devices-listen 10.77.0.1:7070 \
    --insecure --wait-devices "$count" --activations fp16 "$@"
