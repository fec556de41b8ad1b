#!/usr/bin/env python3
"""Decodes with martlet and with llama.cpp's RPC in turn, through the same emulated cell.

    Benchmarks/compare_rpc.py --martlet PATH --llama FOLDER --model M.gguf
        [--scenario Scenarios/laptop.yaml | --megabits 100 --round-trip-ms 3]
        [--streams 1,8] [--tokens 32] [--repetitions 3] [--resident-share 0.25] [--copies 4]
        [--martlet-options="--activations fp16"]

FOLDER holds llama.cpp's llama-batched-bench and ggml-rpc-server (compare-llama.sh builds llama.cpp; RPC
needs -DGGML_RPC=ON). Three ways over the scenario's devices, a process of one thread each: martlet;
llama.cpp with its layers split over RPC servers; llama.cpp with each layer's experts on an RPC server
and the rest at the base station. martlet, too, has a layer's experts on one device, and copies of them on
others, whose memory has room for all (--copies). --resident-share S keeps the first layers at the base
station, as many as that share, with either program. With --megabits all devices are still and equal,
without fading, each at that rate; then the bound is printed, too: layers times round trip, and the air time of martlet's
frames, evenly spread. Figures are tokens per second of all streams together.
"""
import argparse
import json
import os
import pathlib
import shlex
import statistics
import subprocess
import tempfile

from emulated_cell import (
    EmulatedCell, Processes, device_names, free_ports, join, uniform_scenario, wait_for)


class Comparison:
    def __init__(self, options):
        self.options = options
        self.folder = tempfile.TemporaryDirectory()
        if options.megabits:
            options.scenario = pathlib.Path(self.folder.name, "uniform.yaml")
            options.scenario.write_text(uniform_scenario(
                options.devices, options.megabits * 1e6, options.round_trip_ms / 2e3))
        self.names = device_names(options.scenario)
        self.llama = pathlib.Path(options.llama)
        report = json.loads(subprocess.run(
            [options.martlet, "inspect", "--json", options.model], check=True,
            capture_output=True).stdout)
        self.layers = report["model"]["layers"]
        self.bounds = {}
        self.cache = options.cache or self.folder.name
        self.plan = self.make_plan(report["model"])

    def make_plan(self, model):
        """Whole layers: the first at the base station, each other one on a device, copied to the next."""
        size, experts, count = model["largestExpertBytes"], model["experts"], len(self.names)
        here = round(self.layers * self.options.resident_share)

        def layer_experts(layers):
            return [[layer, expert] for layer in layers for expert in range(experts)]

        resident = layer_experts(range(here))
        devices = []
        for index, name in enumerate(self.names):
            after = {layer: (index - layer) % count for layer in range(here, self.layers)}
            own = layer_experts(layer for layer, place in after.items() if place == 0)
            copies = layer_experts(
                layer for layer, place in after.items() if 0 < place < self.options.copies)
            held = (len(own) + len(copies)) * size
            devices.append({"name": name, "experts": own, "copies": copies, "bytes": held,
                            "memoryBytes": held})
        plan = pathlib.Path(self.folder.name, "plan.json")
        plan.write_text(json.dumps({
            "martletPlan": 1, "model": {"experts": experts, "expertBytes": [size] * self.layers},
            "resident": resident, "residentBytes": len(resident) * size, "devices": devices,
            "foreseen": None}))
        return plan

    def ports(self, processes, target, dialer):
        # A uniform cell has its rate as it is; another one's is scaled to the model.
        model = None if self.options.megabits else self.options.model
        return EmulatedCell(
            processes, self.options.martlet, self.options.scenario, target, dialer, model).ports

    def martlet(self):
        return {streams: self.martlet_streams(streams) for streams in self.options.streams}

    def martlet_streams(self, streams, tokens=None):
        base = free_ports(1)
        with Processes() as processes:
            ports = self.ports(processes, base, "device")
            bench = processes.start(
                [self.options.martlet, "bench", "--model", self.options.model, "--prompt", 0,
                 "--generate", tokens or self.options.tokens, "--batch", streams, "--repetitions", 1,
                 "--threads", self.options.threads, "--devices-listen", f"127.0.0.1:{base}", "--wait-devices",
                 len(self.names), "--deadline", 60, "--plan", self.plan, "--wait-copies",
                 "--json",
                 *shlex.split(self.options.martlet_options)],
                stdout=subprocess.PIPE, text=True)
            wait_for(base)
            for name, port in zip(self.names, ports):
                join(processes, self.options.martlet, port, name, f"{self.cache}/{name}")
            report = json.loads(bench.communicate(timeout=self.options.patience)[0])
        generate = report["generate"]
        if self.options.megabits:
            air = (generate["wireBytesPerToken"] * streams * 8 / len(self.names)
                   / (self.options.megabits * 1e6))
            seconds = self.layers * self.options.round_trip_ms / 1e3 + air
            self.bounds[streams] = streams / seconds
        return generate["tokensPerSecond"]

    def llama_rpc(self, experts_only):
        first = free_ports(len(self.names))
        environment = {**os.environ, "LLAMA_CACHE": self.folder.name,
                       "LD_LIBRARY_PATH": str(self.llama)}
        with Processes() as processes:
            for index in range(len(self.names)):
                processes.start(
                    [self.llama / "ggml-rpc-server", "-p", first + index, "-t", 1, "-c"],
                    env=environment, stdout=subprocess.DEVNULL)
                wait_for(first + index)
            servers = [f"127.0.0.1:{port}" for port in self.ports(processes, first, "base")]
            most = max(self.options.streams)
            away = self.layers - round(self.layers * self.options.resident_share)
            command = [
                self.llama / "llama-batched-bench", "-m", self.options.model, "-t", self.options.threads,
                "-npp", 1,
                "-ntg", self.options.tokens, "-npl", ",".join(map(str, self.options.streams)),
                "-c", most * (self.options.tokens + 256), "--output-format", "jsonl", "--rpc",
                ",".join(servers), "-ngl", 0 if experts_only else 99 if away == self.layers else away]
            if experts_only:
                command += ["-ot", ",".join(self.overrides(servers))]
            done = subprocess.run(
                [str(part) for part in command], env=environment, capture_output=True, text=True,
                timeout=self.options.patience)
        reports = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        if done.returncode != 0 or not reports:
            raise SystemExit(f"compare: llama-batched-bench failed: {done.stderr[-300:]}")
        return {report["pl"]: report["speed_tg"] for report in reports}

    def overrides(self, servers):
        """Layer l's experts on server l modulo the servers."""
        for index, server in enumerate(servers):
            here = round(self.layers * self.options.resident_share)
            mine = [str(layer) for layer in range(here, self.layers) if layer % len(servers) == index]
            if mine:
                yield f"blk\\.({'|'.join(mine)})\\.ffn_.*_exps\\.=RPC0[{server}]"

    def run(self):
        ways = {
            "martlet": self.martlet,
            "llama.cpp, layers split over RPC": lambda: self.llama_rpc(False),
            "llama.cpp, experts on RPC servers": lambda: self.llama_rpc(True),
        }
        rates = {(name, streams): [] for name in ways for streams in self.options.streams}
        # Devices keep what they were sent; writing that down must not go on while somebody is measured.
        self.martlet_streams(1, tokens=1)
        os.sync()
        for _ in range(self.options.repetitions):
            for name, measure in ways.items():
                for streams, rate in measure().items():
                    rates[name, streams].append(rate)
                    print(f"{name}, {streams} streams: {rate:.1f} tokens/s", flush=True)
        print("\n| decoding | streams | tokens/s, median | all |\n| --- | --: | --: | --- |")
        for (name, streams), values in rates.items():
            print(f"| {name} | {streams} | {statistics.median(values):.1f} | "
                  f"{', '.join(f'{value:.1f}' for value in values)} |")
        for streams, bound in self.bounds.items():
            print(f"{streams} streams with a round trip for every layer, and air evenly used: at most "
                  f"{bound:.1f} tokens/s")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--martlet", required=True)
    parser.add_argument("--llama", required=True, help="folder of llama.cpp's programs")
    parser.add_argument("--model", required=True)
    parser.add_argument("--scenario", default="Scenarios/laptop.yaml")
    parser.add_argument("--megabits", type=float, help="Mbit/s of each of --devices, instead of a scenario")
    parser.add_argument("--round-trip-ms", type=float, default=3)
    parser.add_argument("--devices", type=int, default=4)
    parser.add_argument("--streams", type=lambda text: [int(part) for part in text.split(",")],
                        default=[1])
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--martlet-options", default="--activations fp16")
    parser.add_argument("--copies", type=int, default=4, help="most devices that hold an expert")
    parser.add_argument("--resident-share", type=float, default=0, help="of the experts, at the base station")
    parser.add_argument("--cache", help="a folder that keeps what devices were sent, for the next run")
    parser.add_argument("--threads", type=int, default=2, help="of the base station; devices have one")
    parser.add_argument("--patience", type=float, default=540, help="seconds for one run")
    Comparison(parser.parse_args()).run()


if __name__ == "__main__":
    main()
