#!/usr/bin/env python3
"""What shipping 500 MB of experts to a device does to the tokens of an answer.

    Benchmarks/shipping.py --martlet PATH --model M.gguf [--megabits 100] [--megabytes 500] [--tokens 400]
        [--rounds 3]

One device holds all experts, another joins with none. A stream runs; on SIGHUP serve reads a plan that
gives the second device copies, and ships them while tokens go on. Devices are in a uniform cell of 1.5 ms
each way and --megabits each; with --megabits 0 they are on loopback, where shipping and computing want the
same processors. Prints the times between tokens before, during and after, for each round, and the median
of the rounds' ratios. A round starts everything anew; the first device finds its experts in its cache.
"""
import argparse
import json
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import threading
import time

from emulated_cell import EmulatedCell, Processes, free_ports, join, uniform_scenario


# Streams before and after shipping.
STREAMS = 4


class Shipping:
    def __init__(self, options):
        self.options = options
        self.folder = tempfile.TemporaryDirectory()
        model = json.loads(subprocess.run(
            [options.martlet, "inspect", "--json", options.model], check=True,
            capture_output=True).stdout)["model"]
        self.shape = model["layers"], model["experts"], model["largestExpertBytes"]
        self.plan_file = pathlib.Path(self.folder.name, "plan.json")
        self.log = pathlib.Path(self.folder.name, "serve.log")

    def plan(self, copies):
        layers, experts, size = self.shape
        every = [[layer, expert] for layer in range(layers) for expert in range(experts)]
        held = {"d0": every, "d1": every[:copies]}
        self.plan_file.write_text(json.dumps({
            "martletPlan": 1, "model": {"experts": experts, "expertBytes": [size] * layers},
            "resident": [], "residentBytes": 0, "foreseen": None, "devices": [
                {"name": name, "experts": ids, "bytes": len(ids) * size,
                 "memoryBytes": len(every) * size} for name, ids in held.items()]}))

    def says(self, pattern, seconds=300):
        """Waits until the server's log has a line."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := re.search(pattern, self.log.read_text()):
                return found
            time.sleep(0.1)
        raise SystemExit("shipping: the server did not say " + pattern)

    def stream(self):
        """Of each token of one answer but the first: when it came, and milliseconds since the last."""
        body = json.dumps({"prompt": "Once upon a time", "max_tokens": self.options.tokens,
                           "temperature": 0, "stream": True}).encode()
        times = []
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(
                b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json"
                b"\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body)
            for line in connection.makefile("rb"):
                if line.startswith(b"data: {"):
                    times.append(time.monotonic())
                if line.startswith(b"data: [DONE]"):
                    break
        return [(later, 1e3 * (later - earlier)) for earlier, later in zip(times, times[1:])]

    def streams(self):
        """A few, so that a percentile is more than a few tokens."""
        return [token for _ in range(STREAMS) for token in self.stream()]

    def start(self, processes):
        cell = free_ports(1)
        server = subprocess.Popen(
            [self.options.martlet, "serve", "--model", self.options.model, "--http", "127.0.0.1:0",
             "--keep-ahead", "off",
             "--devices-listen", f"127.0.0.1:{cell}", "--wait-devices", "2", "--threads", "1",
             "--deadline", "60", "--plan", self.plan_file, "--log-level", "warning"],
            stderr=open(self.log, "w"))
        processes.started.append(server)
        self.port = int(self.says(r"listening for requests on http://127.0.0.1:(\d+)")[1])
        ports = [cell, cell]
        if self.options.megabits:
            scenario = pathlib.Path(self.folder.name, "uniform.yaml")
            scenario.write_text(uniform_scenario(2, self.options.megabits * 1e6, 0.0015))
            ports = EmulatedCell(processes, self.options.martlet, scenario, cell).ports
        for number, port in enumerate(ports):
            join(processes, self.options.martlet, port, f"d{number}",
                 f"{self.folder.name}/d{number}")
        layers, experts, _ = self.shape
        self.says(f"d0: {layers * experts} of {layers * experts} experts ready")
        return server

    def round(self):
        """Milliseconds between tokens before, during and after, and seconds of shipping."""
        copies = int(self.options.megabytes * 1e6) // self.shape[2]
        shutil.rmtree(f"{self.folder.name}/d1", ignore_errors=True)
        self.plan(0)
        with Processes() as processes:
            server = self.start(processes)
            self.stream()
            before = self.streams()
            self.plan(copies)
            ends = []
            watch = threading.Thread(target=lambda: ends.append(
                self.says(f"d1: {copies} of {copies} ", 3600) and time.monotonic()))
            start = time.monotonic()
            server.send_signal(signal.SIGHUP)
            watch.start()
            during = []
            while watch.is_alive():
                during += self.stream()
            during = [token for token in during if token[0] <= ends[0]]
            after = self.streams()
        return [[ms for _, ms in times] for times in (before, during, after)], ends[0] - start

    def run(self):
        ratios = []
        for number in range(1, self.options.rounds + 1):
            parts, seconds = self.round()
            print(f"round {number}: {self.options.megabytes:g} MB shipped in {seconds:.1f} s")
            for name, times in zip(("before", "during", "after"), parts):
                print(f"  {name:6}: {len(times)} tokens, median {at(times, 0.5):.2f} ms, 99th percentile "
                      f"{at(times, 0.99):.2f} ms, worst {max(times):.2f} ms")
            before, during, after = (at(times, 0.99) for times in parts)
            rest = at(parts[0] + parts[2], 0.99)
            ratios.append((during / before, during / after, during / rest))
            print("  99th percentile, during by before {:.2f}, by after {:.2f}, by both {:.2f}".format(
                *ratios[-1]), flush=True)
        print("medians of {} rounds: by before {:.2f}, by after {:.2f}, by both {:.2f}".format(
            len(ratios), *map(statistics.median, zip(*ratios))))


def at(values, share):
    return sorted(values)[int(share * (len(values) - 1))]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--martlet", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--megabits", type=float, default=100)
    parser.add_argument("--megabytes", type=float, default=500)
    parser.add_argument("--tokens", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    Shipping(parser.parse_args()).run()


if __name__ == "__main__":
    main()
