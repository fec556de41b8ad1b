#!/usr/bin/env python3
"""Decoding with 1 and 8 rows beside prefill of 256, over 100 channel draws.

    make experiment-decoding [MODEL=model.gguf] [DATA=folder of .txt] [WINDOWS=20]

Prefill: WINDOWS windows of each text. Decoding: 8 windows of each text for 8 rows, 1 for one row, each
step under its own draw of the same 100 for each text.
"""
from simulation import Experiment, pyplot, save, show


def main():
    experiment = Experiment(__doc__, windows=20)
    rows = []
    for what, extra, windows in (
        ("decode 1", ["--decode", "1"], 1), ("decode 8", ["--decode", "8"], 8),
        ("prefill 256", [], experiment.options.windows),
    ):
        compared = experiment.compare(experiment.scenario, extra, windows)
        show(what, compared)
        rows += [{"step": what, **row} for row in compared]
    path = experiment.write("decoding", rows)
    plot = pyplot()
    steps = list(dict.fromkeys(row["step"] for row in rows))
    figure, axes = plot.subplots(1, len(steps), figsize=(11, 4))
    for axis, step in zip(axes, steps):
        points = [row for row in rows if row["step"] == step]
        means = [1e3 * row["layer_seconds"] for row in points]
        axis.bar(range(len(points)), means)
        axis.errorbar(
            range(len(points)), [1e3 * row["median"] for row in points],
            yerr=[[1e3 * (row["median"] - row["p5"]) for row in points],
                  [1e3 * (row["p95"] - row["median"]) for row in points]],
            fmt=".k", capsize=3)
        axis.set_xticks(range(len(points)), [row["policy"] for row in points], rotation=30)
        axis.set_title(step)
    axes[0].set_ylabel("layer latency, ms: mean, median, 5 to 95 % of draws")
    save(figure, path)


if __name__ == "__main__":
    main()
