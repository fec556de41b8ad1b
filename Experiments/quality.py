#!/usr/bin/env python3
"""Quality against latency of every policy over the reference cell.

    make experiment-quality [MODEL=model.gguf] [DATA=folder of .txt] [WINDOWS=20]

Quality is the perplexity and the next-token accuracy of the model on each text, against top-2. Latency is
that of a layer, against top-2 with min-max bandwidth under the same draw; its marks are over draws.
"""
import statistics

from simulation import MINMAX, Experiment, pyplot, save

# Where curves are compared: perplexity against top-2.
LEVELS = [0.003, 0.005, 0.01]


def policies(profile):
    """Name of the curve, label of the point, options; top-2 with min-max first."""
    yield "top-2, min-max", "", ["--policy", "topk"] + MINMAX
    yield "top-2, equal", "", ["--policy", "topk", "--bandwidth", "equal"]
    yield "top-1", "", ["--policy", "top1"] + MINMAX
    for name, option, values in (
            ("wdmoe", "--alpha", ["0.4", "0.6", "0.8"]),
            ("testbed", "--max-weight", ["0.2", "0.3"]),
            ("random", "--threshold", ["0.1", "0.2", "0.4"]),
            ("low-share", "--threshold", ["0.1", "0.15", "0.2", "0.25", "0.3", "0.35", "0.5"]),
            ("deadline", "--epsilon", ["0.02", "0.05"])):
        for value in values:
            yield name, value, ["--policy", name, option, value] + MINMAX
    priced = ["--policy", "priced"] + MINMAX
    calibrated = priced + ["--profile", profile]
    plain = ["--no-substitution", "--no-compensation"]
    for rate in ["0.3", "0.6"]:
        yield "priced, uncalibrated", rate, priced + plain + ["--seconds-per-loss", rate]
    for rate in ["3", "6"]:
        yield "priced, drops", rate, calibrated + plain + ["--seconds-per-loss", rate]
        yield "priced, all", rate, calibrated + ["--seconds-per-loss", rate]
    for rate in ["20", "12", "7", "5", "4", "3", "2.5", "2", "1.5", "1", "0.5"]:
        yield "priced", rate, calibrated + ["--no-substitution", "--seconds-per-loss", rate]


def measure(experiment):
    rows, base = [], None
    for curve, setting, choices in policies(experiment.profile):
        result = experiment.run(experiment.scenario, choices)
        base = base or result
        ratios = sorted(
            ours / theirs for ours, theirs in zip(result["draw_seconds"], base["draw_seconds"]))
        changes = [ours / theirs - 1
                   for ours, theirs in zip(result["perplexity"], base["perplexity"])]
        rows.append({
            "curve": curve, "setting": setting,
            "layer_seconds": result["layer_seconds"], "p5": result["p5"], "p95": result["p95"],
            "draws": result["draws"],
            "latency_change": result["layer_seconds"] / base["layer_seconds"] - 1,
            "latency_change_p5": ratios[int(0.05 * len(ratios))] - 1,
            "latency_change_p95": ratios[int(0.95 * len(ratios))] - 1,
            "perplexity_change": statistics.fmean(changes),
            "perplexity_change_least": min(changes), "perplexity_change_most": max(changes),
            "accuracy_change": statistics.fmean(
                ours - theirs for ours, theirs in zip(result["accuracy"], base["accuracy"])),
            "experts_per_token": result["experts_per_token"],
        })
        row = rows[-1]
        print(f"{curve:22} {setting:5} layer {1e3 * row['layer_seconds']:.1f} ms "
              f"({row['latency_change']:+.1%}) at {row['perplexity_change']:+.2%}", flush=True)
    return rows


def curve_at(rows, name, level):
    """A curve's layer seconds at a change of perplexity; from top-2 on, straight between points."""
    points = [(0.0, rows[0]["layer_seconds"])] + sorted(
        (row["perplexity_change"], row["layer_seconds"]) for row in rows if row["curve"] == name)
    for (left, before), (right, after) in zip(points, points[1:]):
        if left <= level <= right:
            return before + (after - before) * (level - left) / max(right - left, 1e-12)
    return float("nan")


def main():
    experiment = Experiment(__doc__)
    rows = measure(experiment)
    path = experiment.write("quality", rows)
    for level in LEVELS:
        ours, theirs = (curve_at(rows, name, level) for name in ("priced", "low-share"))
        print(f"at {level:+.1%} perplexity: priced {1e3 * ours:.1f} ms, low share "
              f"{1e3 * theirs:.1f} ms, {ours / theirs - 1:+.1%}; against top-2, min-max "
              f"{ours / rows[0]['layer_seconds'] - 1:+.1%}")
    figure, axes = pyplot().subplots(1, 2, figsize=(14, 6), sharey=True)
    for name in dict.fromkeys(row["curve"] for row in rows):
        for axis, key in zip(axes, ("perplexity_change", "accuracy_change")):
            points = sorted((row for row in rows if row["curve"] == name),
                            key=lambda row: row["layer_seconds"])
            axis.plot([100 * row[key] for row in points],
                      [1e3 * row["layer_seconds"] for row in points],
                      marker="o", markersize=3, linewidth=1, label=name)
            axis.fill_between([100 * row[key] for row in points],
                              [1e3 * row["p5"] for row in points],
                              [1e3 * row["p95"] for row in points], alpha=0.08)
    axes[0].set_xlabel("perplexity against top-2, % (mean over texts)")
    axes[1].set_xlabel("next-token accuracy against top-2, points")
    axes[1].set_xlim(right=0.3)
    axes[0].set_ylabel("layer latency, ms (mean; 5 to 95 % of draws)")
    axes[0].set_xlim(-0.3, 8)
    axes[0].set_ylim(bottom=0)
    axes[0].legend(fontsize=7)
    save(figure, path)


if __name__ == "__main__":
    main()
