#!/usr/bin/env python3
"""What each way to share the spectrum gives, under the same choice of experts.

    make experiment-allocation [MODEL=model.gguf] [DATA=folder of .txt] [WINDOWS=20]

`alternating` lets selection and split take turns; where a policy looks at latencies it then chooses
others, so perplexity against top-2 stands beside.
"""
import statistics

from simulation import Experiment, pyplot, save

METHODS = {
    "equal": ["--bandwidth", "equal"],
    "equal among active": ["--bandwidth", "active"],
    "proportional": ["--bandwidth", "proportional"],
    "min-max": ["--bandwidth", "minmax"],
    "min-max, alternating": ["--bandwidth", "minmax", "--alternate"],
}
POLICIES = {
    "top-2": ["--policy", "topk"],
    "top-1": ["--policy", "top1"],
    "low-share 0.25": ["--policy", "low-share", "--threshold", "0.25"],
    "wdmoe 0.6": ["--policy", "wdmoe", "--alpha", "0.6"],
    "deadline 0.02": ["--policy", "deadline", "--epsilon", "0.02"],
}


def main():
    experiment = Experiment(__doc__)
    rows, top = [], None
    for policy, choices in POLICIES.items():
        equal = None
        for method, sharing in METHODS.items():
            result = experiment.run(experiment.scenario, choices + sharing)
            equal, top = equal or result, top or result
            rows.append({
                "policy": policy, "method": method,
                **{key: result[key] for key in ("layer_seconds", "p5", "p95", "draws")},
                "latency_change": result["layer_seconds"] / equal["layer_seconds"] - 1,
                "perplexity_change": statistics.fmean(
                    ours / theirs - 1
                    for ours, theirs in zip(result["perplexity"], top["perplexity"])),
                "experts_per_token": result["experts_per_token"],
            })
            print(f"{policy:16} {method:22} layer {1e3 * result['layer_seconds']:.1f} ms "
                  f"({rows[-1]['latency_change']:+.1%}) at "
                  f"{rows[-1]['perplexity_change']:+.2%}", flush=True)
    path = experiment.write("allocation", rows)
    figure, axis = pyplot().subplots(figsize=(10, 5))
    width = 0.8 / len(METHODS)
    for number, method in enumerate(METHODS):
        chosen = [row for row in rows if row["method"] == method]
        means = [1e3 * row["layer_seconds"] for row in chosen]
        axis.bar(
            [place + width * number for place in range(len(chosen))], means, width, label=method,
            yerr=[[mean - 1e3 * row["p5"] for mean, row in zip(means, chosen)],
                  [1e3 * row["p95"] - mean for mean, row in zip(means, chosen)]])
    axis.set_xticks([place + 0.4 for place in range(len(POLICIES))], list(POLICIES))
    axis.set_ylabel("layer latency, ms (mean; 5 to 95 % of draws)")
    axis.legend(fontsize=7)
    save(figure, path)


if __name__ == "__main__":
    main()
