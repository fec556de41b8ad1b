#!/usr/bin/env python3
"""Latency against storage, servers, users, K, popularity and model shape for every caching algorithm.

    make experiment-caching DATA=folder [MODEL=model.gguf] [WINDOWS=20]
    Experiments/caching.py --martlet PATH --data folder [--only storage,small] [--draws 5]

A cell of 1 km x 1 km with servers and users at random. A user reaches server n in
    d = 2 D / R + F / C_n,   R = B log2(1 + P g / (N0 B)),   PL = 32.4 + 20 log10(f GHz) + 20 log10(d m),
with D = 16 bit x hidden size, F = 6 x hidden x inner; the cloud takes the nearest server's air time,
a backhaul of 1 Gbit/s and 20 ms, and its own computing. Popularity follows Zipf's law in an order that
half of the users' draws share; sets of K experts are drawn without replacement, 20 per user and layer.
One factor is varied at a time around the reference. At last users' sets come from the shipped model's
own routing instead (martlet calibrate, WINDOWS of 256 ids), each text of DATA a user of its own.
A model of 2 layers x 6 experts is small enough to try every placement beside the algorithms. Written are
means over the draws, their standard deviations, the time that planning takes, and, to standard output,
both as tables.
"""
import argparse
import csv
import json
import math
import pathlib
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict

ALGORITHMS = ["cloud", "random", "same", "lfu", "greedy", "successive", "maxconv", "best"]
#        layers with experts, experts, K, hidden, inner, matrices per expert
SHAPES = {
    "Switch-Base-32": (12, 32, 1, 768, 3072, 2),
    "Switch-Base-128": (12, 128, 1, 768, 3072, 2),
    "Mixtral-8x7B": (32, 8, 2, 4096, 14336, 3),
    "OLMoE": (16, 64, 8, 2048, 1024, 3),
    "DeepSeek-V2-Lite": (26, 64, 6, 2048, 1408, 3),
    "Qwen3-30B-A3B": (48, 128, 8, 2048, 768, 3),
}
# Every placement of it can be tried.
SMALL = {"shape": "small", "servers": 2, "users": 3, "skew": 0.8}
SMALL_SHAPE = (2, 6, 2, 2048, 1024, 3)
SMALL_STORAGE = [0.17, 0.25, 0.34]
REFERENCE = {"shape": "OLMoE", "servers": 5, "users": 12, "storage": 0.1, "k": 8, "skew": 0.8}
FACTORS = {
    "storage": [0.02, 0.05, 0.1, 0.15, 0.2],
    "shape": list(SHAPES),
    "k": [1, 2, 4, 8],
    "servers": [1, 2, 3, 5, 8],
    "users": [3, 6, 12, 24],
    "skew": [0.0, 0.8, 1.2, 1.6],
}
DEMO_STORAGE = [0.1, 0.2, 0.3, 0.5, 0.75]
SETS = 20


def air_seconds(bits, metres):
    """Both ways over 20 MHz at 3.5 GHz; 10 W down, 0.2 W up, -174 dBm/Hz."""
    hertz, noise = 20e6, 3.98107e-21
    loss = 32.4 + 20 * math.log10(3.5) + 20 * math.log10(max(metres, 10))
    gain = 10 ** (-loss / 10)
    return sum(
        bits / (hertz * math.log2(1 + watts * gain / (noise * hertz))) for watts in [10, 0.2])


def cell(generator, servers, users, hidden, inner):
    """Server speeds and every user's seconds per expert: to each server and to the cloud."""
    bits, work = 16 * hidden, 6 * hidden * inner
    places = [(generator.uniform(0, 1000), generator.uniform(0, 1000)) for _ in range(servers)]
    flops = [generator.uniform(2e12, 10e12) for _ in range(servers)]
    reach = []
    for _ in range(users):
        x, y = generator.uniform(0, 1000), generator.uniform(0, 1000)
        air = [air_seconds(bits, math.hypot(x - px, y - py)) for px, py in places]
        near = {f"s{n}": a + work / f for n, (a, f) in enumerate(zip(air, flops))}
        reach.append((near, min(air) + 0.02 + 2 * bits / 1e9 + work / 100e12))
    return reach


def drawn_sets(generator, order, own, k, weights, count):
    sets = Counter()
    for _ in range(count):
        ranks = order if generator.random() < 0.5 else own
        chosen = set()
        while len(chosen) < k:
            chosen.add(ranks[generator.choices(range(len(ranks)), weights)[0]])
        sets[tuple(sorted(chosen))] += 1
    return [{"experts": list(s), "probability": n / count} for s, n in sorted(sets.items())]


def synthetic(setting, seed):
    generator = random.Random(seed)
    layers, experts, k, hidden, inner, matrices = SHAPES.get(setting["shape"], SMALL_SHAPE)
    if setting["shape"] == REFERENCE["shape"]:
        k = setting["k"]
    weights = [(rank + 1) ** -setting["skew"] for rank in range(experts)]
    reach = cell(generator, setting["servers"], setting["users"], hidden, inner)
    orders = [generator.sample(range(experts), experts) for _ in range(layers)]
    activations = []
    for user in range(setting["users"]):
        for layer in range(layers):
            own = generator.sample(range(experts), experts)
            activations.append({
                "user": f"u{user}", "layer": layer,
                "sets": drawn_sets(generator, orders[layer], own, k, weights, SETS)})
    size = 2 * matrices * hidden * inner
    return problem(setting, (layers, experts, size), reach, activations)


def problem(setting, model, reach, activations):
    layers, experts, size = model
    storage = int(setting["storage"] * layers * experts) * size
    return {
        "models": [{"name": "m", "layers": layers, "experts": experts, "expertBytes": size}],
        "servers": [
            {"name": f"s{n}", "storageBytes": storage} for n in range(setting["servers"])],
        "users": [
            {"name": f"u{number}", "weight": 1, "model": "m", "local": [], "localSeconds": 0,
             "serverSeconds": near, "cloudSeconds": cloud}
            for number, (near, cloud) in enumerate(reach)],
        "activations": activations,
    }


def recorded(options, folder):
    """Activations of the shipped model: one user per text."""
    activations, layers, experts = [], 0, 0
    texts = sorted(pathlib.Path(options.data).glob("*.txt"))
    for user, text in enumerate(texts):
        profile = str(pathlib.Path(folder, f"{user}.db"))
        subprocess.run(
            [options.martlet, "calibrate", "--model", options.model, "--file", str(text),
             "--windows", str(options.windows), "--output", profile], check=True, capture_output=True)
        chosen = defaultdict(list)
        database = sqlite3.connect(profile)
        for window, position, layer, expert in database.execute(
                "SELECT window, position, layer, expert FROM visits"):
            chosen[layer, window, position].append(expert)
        counts = database.execute("SELECT layer, experts FROM layers").fetchall()
        database.close()
        layers, experts = len(counts), max(count for _, count in counts)
        sets = defaultdict(Counter)
        for (layer, _, _), members in chosen.items():
            sets[layer][tuple(sorted(members))] += 1
        for layer, counter in sorted(sets.items()):
            total = sum(counter.values())
            activations.append({
                "user": f"u{user}", "layer": layer,
                "sets": [{"experts": list(s), "probability": n / total}
                         for s, n in sorted(counter.items())]})
    return activations, layers, experts, len(texts)


def plan(martlet, path, algorithm):
    command = [martlet, "plan", "caching", "--problem", path, "--algorithm", algorithm, "--json"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return json.loads(done.stdout)


def measure(options, factor, value, make, rows, algorithms=ALGORITHMS):
    """Every algorithm on `draws` problems: means over them, and how far the times lie apart."""
    seconds, walls = defaultdict(list), defaultdict(list)
    for draw in range(options.draws):
        with tempfile.TemporaryDirectory() as folder:
            path = str(pathlib.Path(folder, "problem.json"))
            pathlib.Path(path).write_text(json.dumps(make(draw)))
            for name in algorithms:
                answer = plan(options.martlet, path, name)
                seconds[name].append(answer["secondsPerToken"])
                walls[name].append(answer["wallSeconds"])
    cloud = statistics.mean(seconds["cloud"])
    for name in algorithms:
        mean = statistics.mean(seconds[name])
        rows.append({
            "factor": factor, "value": value, "algorithm": name, "seconds_per_token": mean,
            "saved_share": 1 - mean / cloud, "plan_seconds": statistics.mean(walls[name]),
            "deviation": statistics.stdev(seconds[name]) if options.draws > 1 else 0.0,
            "draws": options.draws})
    print(f"{factor:8} {str(value):18} " + "  ".join(
        f"{name} {1e3 * statistics.mean(seconds[name]):.1f}" for name in algorithms), file=sys.stderr)


def run(options):
    """Rows of every factor asked for; those of the others are kept as the CSV has them."""
    rows = []
    factors = options.only.split(",") if options.only else [*FACTORS, "small", "demo"]
    for factor, values in FACTORS.items():
        for value in values if factor in factors else []:
            setting = dict(REFERENCE, **{factor: value})
            measure(options, factor, value, lambda draw: synthetic(setting, draw), rows)
    for storage in SMALL_STORAGE if "small" in factors else []:
        setting = dict(SMALL, storage=storage)
        measure(
            options, "small", storage, lambda draw: synthetic(setting, draw), rows,
            [*ALGORITHMS, "exhaustive"])
    if "demo" in factors:
        with tempfile.TemporaryDirectory() as folder:
            activations, layers, experts, users = recorded(options, folder)
        for storage in DEMO_STORAGE:
            setting = dict(REFERENCE, storage=storage, users=users, servers=4)

            def make(draw):
                reach = cell(random.Random(draw), 4, users, 2048, 1024)
                return problem(setting, (layers, experts, 12_582_912), reach, activations)

            measure(options, "demo", storage, make, rows)
    kept = pathlib.Path(options.output, "caching.csv")
    if options.only and kept.exists():
        with open(kept, newline="") as file:
            old = [row for row in csv.DictReader(file) if row["factor"] not in factors]
        for row in old:
            for name in ["seconds_per_token", "saved_share", "plan_seconds", "deviation"]:
                row[name] = float(row.get(name) or 0)
            row["draws"] = int(row.get("draws") or 1)
        rows = old + rows
    return rows


def write(rows, folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "caching.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        for row in rows:
            writer.writerow(
                {k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()})
    plot(rows, folder / "caching.svg")
    for title, field, scale, digits in [
            ("ms per token", "seconds_per_token", 1e3, 1), ("ms to plan", "plan_seconds", 1e3, 2)]:
        print(table(rows, title, field, scale, digits))


def table(rows, title, field, scale, digits):
    """Markdown: a row for each value of each factor, a column for each algorithm."""
    names = [*ALGORITHMS, "exhaustive"]
    lines = [f"| {title} | " + " | ".join(names) + " |", "| --- |" + " ---: |" * len(names)]
    points = defaultdict(dict)
    for row in rows:
        points[row["factor"], str(row["value"])][row["algorithm"]] = row[field]
    for (factor, value), found in points.items():
        cells = [f"{scale * found[name]:.{digits}f}" if name in found else "" for name in names]
        lines.append(f"| {factor} {value} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def plot(rows, path):
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "martlet"
    import matplotlib.pyplot as pyplot

    titles = {
        "storage": "storage per server, share of the model", "servers": "servers",
        "users": "users", "k": "experts per token", "skew": "popularity, Zipf exponent",
        "shape": "model", "demo": "shipped model's routing: storage per server",
        "small": "2 layers of 6 experts: storage per server",
    }
    factors = [factor for factor in titles if any(row["factor"] == factor for row in rows)]
    figure, grid = pyplot.subplots(6, 2, figsize=(11, 22))
    panels = list(grid.flat)
    for axes, factor in zip(panels, factors):
        is_shape = factor == "shape"
        draw(axes, rows, factor, lambda row: (
            100 * (1 - row["saved_share"]) if is_shape else 1e3 * row["seconds_per_token"]))
        axes.set_xlabel(titles[factor])
        axes.set_ylabel("% of cloud only" if is_shape else "ms per token")
        axes.set_ylim(bottom=0)
    timed = [factor for factor in ["storage", "servers", "users", "shape"] if factor in factors]
    for axes, factor in zip(panels[len(factors):], timed):
        draw(axes, rows, factor, lambda row: row["plan_seconds"])
        axes.set_yscale("log")
        axes.set_xlabel(titles[factor])
        axes.set_ylabel("seconds to plan")
    for axes in panels[len(factors) + len(timed):]:
        axes.axis("off")
    panels[0].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def draw(axes, rows, factor, value):
    """A line for each algorithm; models, which have no order, as dots."""
    for name in [*ALGORITHMS, "exhaustive"]:
        line = [r for r in rows if r["factor"] == factor and r["algorithm"] == name]
        if not line:
            continue
        names = [row["value"] for row in line]
        is_shape = factor == "shape"
        axes.plot(
            range(len(names)) if is_shape else [float(name) for name in names], list(map(value, line)),
            marker="o", markersize=3, linewidth=1, linestyle="" if is_shape else "-", label=name)
        if is_shape:
            axes.set_xticks(range(len(names)), names, rotation=20, fontsize=7)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--martlet", required=True)
    parser.add_argument("--model", default="Models/demo-mixtral-q8_0.gguf")
    parser.add_argument("--data", required=True, help="a folder of .txt files")
    parser.add_argument("--windows", type=int, default=20, help="of each text")
    parser.add_argument("--only", help="factors, separated by commas")
    parser.add_argument("--draws", type=int, default=1, help="random cells per point")
    parser.add_argument("--output", default="docs/experiments")
    options = parser.parse_args()
    write(run(options), options.output)


if __name__ == "__main__":
    main()
