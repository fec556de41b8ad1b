#!/usr/bin/env python3
"""Layer latency against number of devices, bandwidth, spread of distances, and mobility.

    make experiment-cells [MODEL=model.gguf] [DATA=folder of .txt] [WINDOWS=20]

Number of devices: the first N of the reference cell, device k holding experts k modulo N. Spread: each
distance moved towards (0) or away from (2) the geometric mean, which stays. Mobility: all devices
move out and back; the planner is told the channels every 100 ms, or as they are at each layer's
beginning. A channel is taken as constant for the length of a layer.
"""
import math
import re

from simulation import Experiment, distance, pyplot, save, show, with_devices

DEVICES = [2, 4, 8]
MEGAHERTZ = [25, 50, 200]
SPREADS = [0, 2]
SPEEDS = [1, 10]


def variants(scenario):
    """What changes, its value, the scenario, further options."""
    for count in DEVICES:
        yield "devices", count, with_devices(
            scenario, lambda k, metres, line: line if k < count else None), []
    for megahertz in MEGAHERTZ:
        yield "MHz", megahertz, re.sub(
            r"totalBandwidthHz: *[0-9.e]+", f"totalBandwidthHz: {megahertz}.0e6", scenario), []
    distances = [float(text) for text in re.findall(r"distanceMetres: *([0-9.]+)", scenario)]
    centre = math.exp(sum(map(math.log, distances)) / len(distances))
    for spread in SPREADS:
        yield "distance spread", spread, with_devices(
            scenario, lambda k, metres, line: distance(
                line, centre * (metres / centre) ** spread)), []
    for speed in SPEEDS:
        moving = with_devices(scenario, lambda k, metres, line: re.sub(
            r" *}", f", metresPerSecond: {speed} }}", line))
        yield "m/s, told each layer", speed, moving, []
        yield "m/s, told every 100 ms", speed, moving, ["--report-interval", "0.1"]


def main():
    experiment = Experiment(__doc__, windows=20)
    rows = []
    for what, value, scenario, extra in variants(experiment.scenario):
        compared = experiment.compare(scenario, extra)
        show(f"{what} {value}", compared)
        rows += [{"variable": what, "value": value, **row} for row in compared]
        if (what, value) == ("devices", max(DEVICES)):
            # The reference cell itself is a point of these curves too.
            for other, here in (("MHz", 100), ("distance spread", 1)):
                rows += [{"variable": other, "value": here, **row} for row in compared]
    path = experiment.write("cells", rows)
    plot = pyplot()
    names = list(dict.fromkeys(row["variable"] for row in rows))
    figure, axes = plot.subplots(1, len(names), figsize=(17, 4))
    for axis, name in zip(axes, names):
        for policy in dict.fromkeys(row["policy"] for row in rows):
            points = sorted(
                (row for row in rows if row["variable"] == name and row["policy"] == policy),
                key=lambda row: row["value"])
            values = [row["value"] for row in points]
            means = [1e3 * row["layer_seconds"] for row in points]
            axis.plot(values, means, marker="o", markersize=3, label=policy)
            axis.fill_between(
                values, [1e3 * row["p5"] for row in points],
                [1e3 * row["p95"] for row in points], alpha=0.12)
        axis.set_xlabel(name)
        axis.set_yscale("log")
        if name.startswith("m/s"):
            axis.set_xscale("log")
    axes[0].set_ylabel("layer latency, ms (mean; 5 to 95 % of draws)")
    axes[0].legend(fontsize=7)
    save(figure, path)


if __name__ == "__main__":
    main()
