#!/usr/bin/env python3
"""Policies at work: real device processes in an emulated cell, quality and layer times measured.

    Benchmarks/live_policies.py --martlet PATH --model M.gguf --file text.txt [--calibration mix.txt]
        [--scenario Scenarios/laptop.yaml] [--windows 12] [--context 256] [--output live_policies.csv]

Each policy reads the same windows over the scenario's devices (a process of one thread each, which take
the time of their teraflops for an expert; nobody moves). Prints by policy perplexity, the median time of a
layer as measured and as the base station foresaw it from its round trips, and the median error of that.
Without --profile the first run calibrates on --calibration, which should be another text.
"""
import argparse
import csv
import json
import pathlib
import re
import subprocess
import tempfile

from emulated_cell import EmulatedCell, Processes, device_names, free_ports, join, wait_for

POLICIES = {
    "top-2, equal split": (["--policy", "topk"], False),
    "top-2": (["--policy", "topk"], True),
    "low share 0.25": (["--policy", "low-share", "--threshold", "0.25"], True),
    "deadline": (["--policy", "deadline"], True),
    "priced": (["--policy", "priced"], True),
    "top-1": (["--policy", "top1"], True),
}


class Run:
    def __init__(self, options):
        self.options = options
        self.folder = tempfile.TemporaryDirectory()
        self.names = device_names(options.scenario)
        text = pathlib.Path(options.scenario).read_text()
        self.teraflops = [float(value) for value in re.findall(r"teraflops: *([0-9.]+)", text)]
        shape = {key: value for key, value in re.findall(r"(hidden|expertInner): *([0-9]+)", text)}
        self.shape = f"{shape['hidden']}x{shape['expertInner']}"
        self.profile = options.profile or self.calibrate()
        self.text = self.cut()

    def calibrate(self):
        profile = f"{self.folder.name}/profile.db"
        subprocess.run(
            [self.options.martlet, "calibrate", "--model", self.options.model, "--file",
             self.options.calibration, "--output", profile], check=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return profile

    def cut(self):
        """The beginning of the text that has the wanted windows."""
        data = pathlib.Path(self.options.file).read_bytes()
        wanted = self.options.windows * self.options.context
        low, high = 0, len(data)
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self.ids(data[:middle]) >= wanted else (middle + 1, high)
        path = pathlib.Path(self.folder.name, "text.txt")
        path.write_bytes(data[:low])
        return path

    def ids(self, data):
        done = subprocess.run(
            [self.options.martlet, "tokenize", "--model", self.options.model, "--json"], input=data,
            check=True, capture_output=True)
        return len(json.loads(done.stdout)["ids"])

    def measure(self, choices, shares):
        base = free_ports(1)
        with Processes() as processes:
            cell = EmulatedCell(
                processes, self.options.martlet, self.options.scenario, base,
                model=self.options.model, options=["--metres-per-second", "0"])
            command = [
                self.options.martlet, "perplexity", "--model", self.options.model, "--file",
                self.text, "--context", self.options.context, "--threads", 1, "--devices-listen",
                f"127.0.0.1:{base}", "--wait-devices", len(self.names), "--activations", "fp16",
                "--deadline", 60, "--copies", 1, "--profile", self.profile, "--quality-budget",
                self.options.budget, "--json", *choices]
            if self.options.plan:
                command += ["--plan", self.options.plan]
            if shares:
                command += ["--cell-control", f"127.0.0.1:{cell.control}", "--cell-steps", 1]
            run = processes.start(command, stdout=subprocess.PIPE, text=True)
            wait_for(base)
            for name, port, teraflops in zip(self.names, cell.ports, self.teraflops):
                join(processes, self.options.martlet, port, name, f"{self.folder.name}/{name}",
                     "--memory", self.options.memory, "--emulate-flops", teraflops * 1e12, "--emulate-shape", self.shape)
            return json.loads(run.communicate(timeout=self.options.patience)[0])

    def all(self):
        rows, base = [], {}
        for repetition in range(self.options.repetitions):
            for name, (choices, shares) in POLICIES.items():
                if self.options.only and name not in self.options.only.split(";"):
                    continue
                report = self.measure(choices, shares)
                layer = report["layerPrediction"]
                reference = base.setdefault(repetition, report)
                selection = report["costs"].get("selection") or {}
                row = {
                    "policy": name, "repetition": repetition, "perplexity": report["perplexity"],
                    "perplexity_change": report["perplexity"] / reference["perplexity"] - 1,
                    "accuracy": report["accuracy"], "measured_ms": 1e3 * layer["measuredSeconds"],
                    "foreseen_ms": 1e3 * layer["predictedSeconds"], "error": layer["error"],
                    "layers": layer["layers"], "dropped": selection.get("dropped", 0),
                    "estimated_nats": selection.get("lossNats", 0) / report["tokens"],
                }
                for device, costs in sorted(report["costs"]["devices"].items()):
                    frames = max(1, costs["roundTrips"])
                    row[f"{device}_ms"] = 1e3 * costs["roundTripSeconds"] / frames
                    row[f"{device}_computing_ms"] = 1e3 * costs["computeSeconds"] / frames
                    row[f"{device}_visits"] = costs["pairs"] / frames
                rows.append(row)
                print(f"{name:20} layer {row['measured_ms']:7.2f} ms, foreseen "
                      f"{row['foreseen_ms']:7.2f}, off by {row['error']:.1%}; perplexity "
                      f"{row['perplexity_change']:+.2%}, {row['dropped']} visits dropped", flush=True)
        if self.options.output:
            with open(self.options.output, "w", newline="") as file:
                writer = csv.DictWriter(file, fieldnames=list(rows[0]))
                writer.writeheader()
                writer.writerows(
                    {k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()}
                    for row in rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--martlet", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--file", required=True)
    parser.add_argument("--profile")
    parser.add_argument("--calibration", help="a text to calibrate on, without --profile")
    parser.add_argument("--scenario", default="Scenarios/laptop.yaml")
    parser.add_argument("--windows", type=int, default=12)
    parser.add_argument("--context", type=int, default=256)
    parser.add_argument("--budget", type=float, default=0.02, help="nats a token may lose")
    parser.add_argument("--memory", default="5MiB", help="of a device; the least lets all have as much")
    parser.add_argument("--repetitions", type=int, default=1)
    parser.add_argument("--plan", help="of martlet plan deploy: who holds what")
    parser.add_argument("--only", help="some of the policies, separated by ;")
    parser.add_argument("--output")
    parser.add_argument("--patience", type=float, default=540, help="seconds for one run")
    options = parser.parse_args()
    if not (options.profile or options.calibration):
        parser.error("give --profile or --calibration")
    Run(options).all()


if __name__ == "__main__":
    main()
