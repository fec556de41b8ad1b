"""Runs of `martlet simulate` over variants of a scenario, for the experiments beside it.

Five texts by twenty windows, each text under a seed of its own, are a hundred channel draws. Spreads are
over draws: the mean layer time of each window (or step of decoding).
"""
import argparse
import csv
import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile

CALIBRATION_BYTES = 30_000
MINMAX = ["--bandwidth", "minmax"]
# What a nat per token is worth, in layer times of top-2 with min-max bandwidth in the same cell.
LAYERS_PER_NAT = 60


class Experiment:
    """Options that every experiment has, its texts, and a calibrated profile."""

    def __init__(self, description, windows=20):
        parser = argparse.ArgumentParser(description=description)
        parser.add_argument("--martlet", required=True)
        parser.add_argument("--model", default="Models/demo-mixtral-q8_0.gguf")
        parser.add_argument("--scenario", default="Scenarios/reference.yaml")
        parser.add_argument("--data", required=True, help="a folder of .txt files")
        parser.add_argument("--windows", type=int, default=windows, help="of each text")
        parser.add_argument("--output", default="docs/experiments")
        parser.add_argument("--profile", help="made before by martlet calibrate")
        self.options = parser.parse_args()
        self.texts = sorted(pathlib.Path(self.options.data).glob("*.txt"))
        if not self.texts:
            parser.error(f"{self.options.data} has no .txt file")
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.scenario = pathlib.Path(self.options.scenario).read_text()
        self.profile = self.options.profile or self.calibrate()

    def calibrate(self):
        mix = self.folder / "calibration.txt"
        mix.write_bytes(b"".join(text.read_bytes()[-CALIBRATION_BYTES:] for text in self.texts))
        profile = str(self.folder / "profile.db")
        subprocess.run(
            [self.options.martlet, "calibrate", "--model", self.options.model, "--file", str(mix),
             "--output", profile], check=True)
        return profile

    def policies(self, nat_seconds):
        """Names and options of the policies that experiments compare; top-2 with min-max first."""
        priced = ["--policy", "priced", "--no-substitution", "--profile", self.profile,
                  "--seconds-per-loss", f"{nat_seconds}"] + MINMAX
        return {
            "top-2, min-max": ["--policy", "topk"] + MINMAX,
            "top-2, equal": ["--policy", "topk", "--bandwidth", "equal"],
            "low-share 0.25": ["--policy", "low-share", "--threshold", "0.25"] + MINMAX,
            "priced": priced,
        }

    def run(self, scenario, choices, windows=None):
        """All texts: means, and the layer seconds of every draw."""
        results, draws = [], []
        path = self.folder / "scenario.yaml"
        path.write_text(scenario)
        trace = self.folder / "trace.csv"
        for number, text in enumerate(self.texts):
            command = [
                self.options.martlet, "simulate", str(path), "--model", self.options.model,
                "--file", str(text), "--windows", str(windows or self.options.windows),
                "--seed", str(2026 + number), "--trace", str(trace), "--json"]
            done = subprocess.run(command + choices, check=True, capture_output=True)
            results.append(json.loads(done.stdout))
            draws += layer_seconds(trace)
        ordered = sorted(draws)
        count = len(ordered)
        return {
            "layer_seconds": statistics.fmean(draws),
            "p5": ordered[int(0.05 * count)],
            "median": statistics.median(draws),
            "p95": ordered[min(count - 1, int(0.95 * count))],
            "draws": count,
            "draw_seconds": draws,
            "text_seconds": [result["layerSeconds"] for result in results],
            "model_seconds": [result["modelSeconds"] for result in results],
            "accuracy": [result["accuracy"] for result in results],
            "perplexity": [result["perplexity"] for result in results],
            "joules": statistics.fmean(result["joules"] for result in results),
            "experts_per_token": statistics.fmean(
                result["expertsPerToken"] for result in results),
        }

    def compare(self, scenario, extra=(), windows=None):
        """Every policy in one cell; perplexity against top-2."""
        extra = list(extra)
        base = self.run(scenario, self.policies(1)["top-2, min-max"] + extra, windows)
        nat_seconds = LAYERS_PER_NAT * base["layer_seconds"]
        rows = []
        for name, choices in self.policies(nat_seconds).items():
            result = base if name == "top-2, min-max" else self.run(
                scenario, choices + extra, windows)
            rows.append({
                "policy": name,
                **{key: result[key] for key in (
                    "layer_seconds", "p5", "median", "p95", "draws", "joules",
                    "experts_per_token")},
                "perplexity_change": statistics.fmean(
                    ours / theirs - 1
                    for ours, theirs in zip(result["perplexity"], base["perplexity"])),
                "latency_change": result["layer_seconds"] / base["layer_seconds"] - 1,
            })
        return rows

    def write(self, name, rows):
        folder = pathlib.Path(self.options.output)
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / f"{name}.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            for row in rows:
                writer.writerow(
                    {k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()})
        return folder / f"{name}.svg"


def layer_seconds(trace):
    """Mean layer time of each draw: the slowest device of each layer."""
    slowest = {}
    with open(trace, newline="") as file:
        for row in csv.DictReader(file):
            key = int(row["window"]), int(row["layer"])
            slowest.setdefault(key, [])
            slowest[key].append(float(row["seconds"]))
    windows = {}
    for (window, _), seconds in slowest.items():
        windows.setdefault(window, []).append(max(seconds))
    return [statistics.fmean(values) for values in windows.values()]


def show(label, rows):
    for row in rows:
        print(f"{label:26} {row['policy']:16} layer {1e3 * row['layer_seconds']:9.3f} ms "
              f"({1e3 * row['p5']:.3f} to {1e3 * row['p95']:.3f}), {row['latency_change']:+.1%} "
              f"at {row['perplexity_change']:+.2%}, {row['joules']:.2f} J", flush=True)


def with_devices(scenario, change):
    """The scenario with each device's line changed: change(number, distance) → line or None."""
    lines, number = [], 0
    for line in scenario.splitlines():
        found = re.search(r"distanceMetres: *([0-9.]+)", line)
        if not found:
            lines.append(line)
            continue
        changed = change(number, float(found.group(1)), line)
        if changed is not None:
            lines.append(changed)
        number += 1
    return "\n".join(lines) + "\n"


def distance(line, metres):
    return re.sub(r"distanceMetres: *[0-9.]+", f"distanceMetres: {metres:.3f}", line)


def pyplot():
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "martlet"
    import matplotlib.pyplot

    return matplotlib.pyplot


def save(figure, path):
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    print(os.fspath(path))
