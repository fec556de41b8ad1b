#!/usr/bin/env python3
"""Energy of a prefill of 256 per policy: radio, computing and idling.

    make experiment-energy [MODEL=model.gguf] [DATA=folder of .txt] [WINDOWS=8]

Devices draw COMPUTE watts on top while computing and IDLE all the time (ours; the papers' summaries give
none). Every part is the difference of two runs whose decisions are the same.
"""
import re
import statistics

from simulation import LAYERS_PER_NAT, Experiment, pyplot, save

COMPUTE, IDLE = 30, 3


def with_watts(scenario, compute, idle):
    kept = re.sub(r"(?m)^(computeWatts|idleWatts):.*$", "", scenario)
    return f"{kept}\ncomputeWatts: {compute}\nidleWatts: {idle}\n"


def main():
    experiment = Experiment(__doc__, windows=8)
    base = experiment.run(experiment.scenario, experiment.policies(1)["top-2, min-max"])
    policies = experiment.policies(LAYERS_PER_NAT * base["layer_seconds"])
    policies["top-1"] = ["--policy", "top1", "--bandwidth", "minmax"]
    rows = []
    for name, choices in policies.items():
        sums = []
        for compute, idle in ((0, 0), (COMPUTE, 0), (COMPUTE, IDLE)):
            result = experiment.run(with_watts(experiment.scenario, compute, idle), choices)
            sums.append(result["joules"])
        rows.append({
            "policy": name, "radio_joules": sums[0], "compute_joules": sums[1] - sums[0],
            "idle_joules": sums[2] - sums[1], "joules_per_token": sums[2] / 256,
            "layer_seconds": result["layer_seconds"],
            "perplexity_change": statistics.fmean(
                ours / theirs - 1
                for ours, theirs in zip(result["perplexity"], base["perplexity"])),
        })
        print({k: v if isinstance(v, str) else round(v, 4) for k, v in rows[-1].items()}, flush=True)
    path = experiment.write("energy", rows)
    plot = pyplot()
    figure, axis = plot.subplots(figsize=(8, 4))
    bottom = [0.0] * len(rows)
    for part in ("radio", "compute", "idle"):
        values = [row[f"{part}_joules"] for row in rows]
        axis.bar([row["policy"] for row in rows], values, bottom=bottom, label=part)
        bottom = [low + value for low, value in zip(bottom, values)]
    axis.set_ylabel("J for a prefill of 256 tokens")
    axis.legend()
    save(figure, path)


if __name__ == "__main__":
    main()
