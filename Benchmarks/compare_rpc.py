#!/usr/bin/env python3
"""Decodes with martlet and with llama.cpp's RPC in turn, through the same emulated cell.

    Benchmarks/compare_rpc.py --martlet PATH --llama FOLDER --model M.gguf
                              [--scenario Scenarios/laptop.yaml] [--tokens 32] [--repetitions 3]

FOLDER holds llama.cpp's llama-bench and ggml-rpc-server (compare-llama.sh builds llama.cpp; RPC needs
-DGGML_RPC=ON). Three ways over the scenario's devices, a process of one thread each: martlet with fp16
activations; llama.cpp with its layers split over RPC servers; llama.cpp with each layer's experts on an
RPC server and the rest at the base station. Prints ms per decoded token; smaller is better.
"""
import argparse
import json
import os
import pathlib
import re
import socket
import statistics
import subprocess
import tempfile
import time


def free_ports(count):
    """The first of `count` ports in a row that nobody uses."""
    for first in range(23_000, 60_000, 100):
        held = []
        try:
            for port in range(first, first + count):
                held.append(socket.create_server(("127.0.0.1", port)))
            return first
        except OSError:
            continue
        finally:
            for server in held:
                server.close()
    raise SystemExit("compare: no ports are free")


def wait_for(port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"compare: nobody listens on port {port}")


class Processes:
    """What runs beside a measurement; ended with it."""

    def __enter__(self):
        self.started = []
        return self

    def start(self, command, **options):
        process = subprocess.Popen(
            [str(part) for part in command], stderr=subprocess.DEVNULL, **options)
        self.started.append(process)
        return process

    def __exit__(self, *_):
        for process in reversed(self.started):
            process.terminate()
        for process in self.started:
            process.wait()


class Comparison:
    def __init__(self, options):
        self.options = options
        text = pathlib.Path(options.scenario).read_text()
        self.names = re.findall(r"- *{ *name: *([^, ]+)", text)
        self.llama = pathlib.Path(options.llama)
        self.caches = tempfile.TemporaryDirectory()
        report = json.loads(subprocess.run(
            [options.martlet, "inspect", "--json", options.model], check=True,
            capture_output=True).stdout)
        self.layers = report["model"]["layers"]

    def cell(self, processes, target, dialer):
        command = [
            self.options.martlet, "cell", "--scenario", self.options.scenario, "--model",
            self.options.model, "--to", f"127.0.0.1:{target}", "--listen", "127.0.0.1:0",
            "--control", "0", "--dialer", dialer, "--json"]
        if self.options.direct:
            return None
        log = open(pathlib.Path(self.caches.name, "cell.jsonl"), "w+")
        processes.start(command, stdout=log)
        while True:
            log.seek(0)
            line = log.readline()
            if line.endswith("\n"):
                return [device["port"] for device in json.loads(line)["devices"]]
            time.sleep(0.02)

    def martlet(self):
        base = free_ports(1)
        with Processes() as processes:
            ports = self.cell(processes, base, "device") or [base] * len(self.names)
            bench = processes.start(
                [self.options.martlet, "bench", "--model", self.options.model, "--prompt", 0,
                 "--generate", self.options.tokens, "--repetitions", 1, "--threads", 1,
                 "--devices-listen", f"127.0.0.1:{base}", "--wait-devices", len(self.names),
                 "--activations", "fp16", "--deadline", 60, "--json"],
                stdout=subprocess.PIPE, text=True)
            wait_for(base)
            for name, port in zip(self.names, ports):
                processes.start(
                    [self.options.martlet, "join", f"127.0.0.1:{port}", "--name", name, "--cache",
                     f"{self.caches.name}/{name}", "--threads", 1, "--once", "--quiet"],
                    stdout=subprocess.DEVNULL)
            report = json.loads(bench.communicate(timeout=self.options.patience)[0])
        return 1e3 / report["generate"]["tokensPerSecond"]

    def llama_rpc(self, experts_only):
        first = free_ports(len(self.names))
        environment = {**os.environ, "LLAMA_CACHE": self.caches.name,
                       "LD_LIBRARY_PATH": str(self.llama)}
        with Processes() as processes:
            for index in range(len(self.names)):
                processes.start(
                    [self.llama / "ggml-rpc-server", "-p", first + index, "-t", 1, "-c"],
                    env=environment, stdout=subprocess.DEVNULL)
                wait_for(first + index)
            ports = self.cell(processes, first, "base") or [
                first + index for index in range(len(self.names))]
            servers = [f"127.0.0.1:{port}" for port in ports]
            command = [self.llama / "llama-bench", "-m", self.options.model, "-t", 1, "-p", 0, "-n",
                       self.options.tokens, "-r", 1, "-o", "json", "--rpc", ",".join(servers)]
            command += ["-ngl", 0 if experts_only else 99]
            if experts_only:
                command += ["-ot", ";".join(self.overrides(servers))]
            done = subprocess.run(
                [str(part) for part in command], env=environment, capture_output=True, text=True,
                timeout=self.options.patience)
        reports = json.loads(done.stdout or "[]")
        if done.returncode != 0 or not reports:
            raise SystemExit(f"compare: llama-bench failed: {done.stderr[-300:]}")
        return 1e3 / reports[0]["avg_ts"]

    def overrides(self, servers):
        """Layer l's experts on server l modulo the servers."""
        for index, server in enumerate(servers):
            mine = [str(layer) for layer in range(self.layers) if layer % len(servers) == index]
            if mine:
                yield f"blk\\.({'|'.join(mine)})\\.ffn_.*_exps\\.=RPC0[{server}]"

    def run(self):
        ways = {
            "martlet": self.martlet,
            "llama.cpp, layers split over RPC": lambda: self.llama_rpc(False),
            "llama.cpp, experts on RPC servers": lambda: self.llama_rpc(True),
        }
        times = {name: [] for name in ways}
        for _ in range(self.options.repetitions):
            for name, measure in ways.items():
                times[name].append(measure())
                print(f"{name}: {times[name][-1]:.2f} ms per token", flush=True)
        print("\n| decoding | ms per token, median | all |\n| --- | --: | --- |")
        for name, values in times.items():
            print(f"| {name} | {statistics.median(values):.2f} | "
                  f"{', '.join(f'{value:.2f}' for value in values)} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--martlet", required=True)
    parser.add_argument("--llama", required=True, help="folder of llama.cpp's programs")
    parser.add_argument("--model", required=True)
    parser.add_argument("--scenario", default="Scenarios/laptop.yaml")
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--patience", type=float, default=540, help="seconds for one run")
    parser.add_argument("--direct", action="store_true", help="without the cell")
    Comparison(parser.parse_args()).run()


if __name__ == "__main__":
    main()
