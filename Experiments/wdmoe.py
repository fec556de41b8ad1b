#!/usr/bin/env python3
"""Quality against latency of every policy over a scenario: CSV and SVG.

    make experiments [MODEL=model.gguf] [DATA=folder of .txt] [WINDOWS=40]

Each text gives its first WINDOWS windows; the priced policy is calibrated on the last 30,000 bytes of
each, which must lie behind those windows. Every figure is relative to top-2 with equal bandwidth
(latency) and top-2 (perplexity), the mean over texts; window w sees channel draw w.
"""
import argparse
import csv
import json
import pathlib
import subprocess
import tempfile

MINMAX = ["--bandwidth", "minmax"]
CALIBRATION_BYTES = 30_000


def configurations(profile):
    """Name of the curve, label of the point, options."""
    yield "top-2, equal", "", ["--policy", "topk", "--bandwidth", "equal"]
    yield "top-2, active", "", ["--policy", "topk", "--bandwidth", "active"]
    yield "top-2, proportional", "", ["--policy", "topk", "--bandwidth", "proportional"]
    yield "top-2, min-max", "", ["--policy", "topk"] + MINMAX
    yield "top-1", "", ["--policy", "top1"] + MINMAX
    yield "best channel", "", ["--policy", "best-channel"] + MINMAX
    for alpha in ["0.4", "0.6", "0.8"]:
        yield "wdmoe", alpha, ["--policy", "wdmoe", "--alpha", alpha] + MINMAX
    for weight in ["0.2", "0.3"]:
        yield "testbed", weight, ["--policy", "testbed", "--max-weight", weight] + MINMAX
    for threshold in ["0.2", "0.4"]:
        yield "random", threshold, ["--policy", "random", "--threshold", threshold] + MINMAX
    for threshold in ["0.15", "0.2", "0.25", "0.3", "0.35", "0.5"]:
        yield "low-share", threshold, ["--policy", "low-share", "--threshold", threshold] + MINMAX
    for epsilon in ["0.02", "0.05"]:
        yield "deadline", epsilon, ["--policy", "deadline", "--epsilon", epsilon] + MINMAX
    priced = ["--policy", "priced"] + MINMAX
    plain = ["--no-substitution", "--no-compensation"]
    for rate in ["0.15", "0.3", "0.6"]:
        yield "priced, uncalibrated", rate, priced + plain + ["--seconds-per-loss", rate]
    calibrated = priced + ["--profile", profile]
    for rate in ["1.5", "2", "3", "4.5", "7"]:
        options = ["--seconds-per-loss", rate]
        yield "priced, compensated", rate, calibrated + ["--no-substitution"] + options
    for rate in ["3", "6"]:
        options = ["--seconds-per-loss", rate]
        yield "priced, drops", rate, calibrated + plain + options
        yield "priced, substituted", rate, calibrated + ["--no-compensation"] + options
        yield "priced, all", rate, calibrated + options


def simulate(options, text, choices):
    command = [
        options.martlet, "simulate", options.scenario, "--model", options.model, "--file", text,
        "--windows", str(options.windows), "--json",
    ]
    done = subprocess.run(command + choices, check=True, capture_output=True)
    return json.loads(done.stdout)


def calibrate(options, texts, folder):
    mix = pathlib.Path(folder, "calibration.txt")
    mix.write_bytes(b"".join(pathlib.Path(text).read_bytes()[-CALIBRATION_BYTES:] for text in texts))
    profile = str(pathlib.Path(folder, "profile.db"))
    subprocess.run(
        [options.martlet, "calibrate", "--model", options.model, "--file", str(mix),
         "--output", profile], check=True)
    return profile


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def measure(options, texts, profile):
    rows, base = [], None
    for curve, label, choices in configurations(profile):
        if options.only and curve not in options.only.split(";") and curve != "top-2, equal":
            continue
        results = [simulate(options, text, choices) for text in texts]
        base = base or results
        row = {
            "curve": curve,
            "setting": label,
            "latency_change": mean(
                r["layerSeconds"] / b["layerSeconds"] - 1 for r, b in zip(results, base)),
            "perplexity_change": mean(
                r["perplexity"] / b["perplexity"] - 1 for r, b in zip(results, base)),
            "accuracy_change": mean(r["accuracy"] - b["accuracy"] for r, b in zip(results, base)),
            "layer_seconds": mean(r["layerSeconds"] for r in results),
            "joules": mean(r["joules"] for r in results),
            "experts_per_token": mean(r["expertsPerToken"] for r in results),
            "dropped_mass": mean(r["droppedMass"] for r in results),
        }
        for text, result in zip(texts, results):
            name = pathlib.Path(text).stem
            row[f"{name}_seconds"] = result["layerSeconds"]
            row[f"{name}_perplexity"] = result["perplexity"]
        rows.append(row)
        print(f"{curve:22} {label:5} latency {row['latency_change']:+.1%} "
              f"perplexity {row['perplexity_change']:+.2%}", flush=True)
    return rows


def write(rows, folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "wdmoe.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        for row in rows:
            writer.writerow(
                {k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()})
    plot(rows, folder / "wdmoe.svg")


def plot(rows, path):
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "martlet"
    import matplotlib.pyplot as pyplot

    figure, axes = pyplot.subplots(figsize=(9, 6))
    curves = {}
    for row in rows:
        curves.setdefault(row["curve"], []).append(
            (100 * row["perplexity_change"], 1e3 * row["layer_seconds"]))
    for name, points in curves.items():
        points.sort()
        axes.plot(*zip(*points), marker="o", markersize=3, linewidth=1, label=name)
    axes.set_xlabel("perplexity against top-2, % (mean over texts)")
    axes.set_ylabel("mean layer latency, ms")
    axes.set_xlim(-0.5, 9)
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=7)
    figure.savefig(path, metadata={"Date": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--martlet", required=True)
    parser.add_argument("--model", default="Models/demo-mixtral-q8_0.gguf")
    parser.add_argument("--scenario", default="Scenarios/reference.yaml")
    parser.add_argument("--data", required=True, help="a folder of .txt files")
    parser.add_argument("--windows", type=int, default=40)
    parser.add_argument("--output", default="docs/experiments")
    parser.add_argument("--profile", help="made before by martlet calibrate")
    parser.add_argument("--only", help="names of curves, separated by semicolons")
    options = parser.parse_args()
    texts = sorted(str(path) for path in pathlib.Path(options.data).glob("*.txt"))
    if not texts:
        parser.error(f"{options.data} has no .txt file")
    with tempfile.TemporaryDirectory() as folder:
        profile = options.profile or calibrate(options, texts, folder)
        write(measure(options, texts, profile), options.output)


if __name__ == "__main__":
    main()
