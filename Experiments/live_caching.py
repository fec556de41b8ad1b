#!/usr/bin/env python3
"""The live base station with little memory, planned and in proportion to speed: CSV.

    Experiments/live_caching.py --martlet PATH --calibration mix.txt [--model model.gguf] [--output FOLDER]
        [--shares 0 0.125 0.25 0.375 0.5] [--slack 0.03] [--repetitions 3] [--keep-cache]

Four devices with memory for half of all experts together dial in through an emulated cell (100 Mbit/s
each, 1.5 ms each way). The base station runs in a memory control group whose limit holds the process, its
dense weights and its share of the experts, and the model file, on a small disk of its own, is dropped from
the page cache before each start; without leave to make such groups and disks (root has it), or with
--keep-cache, it says so and goes on. First the figures of
this machine are measured: a device's message and visit, a visit in memory and the reading of an expert. Then three
ways of dealing experts run in turn: in proportion to speed, the same with the profile's experts at the base
station, and martlet plan deploy's plan, made from the measured figures. Printed are milliseconds a token
beside the least that any placement in which experts stay where they are could take by these figures, round trips and frames; tokens are compared
with a run without devices. Nothing else should run on the machine.
"""
import argparse
import contextlib
import csv
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Benchmarks"))
from emulated_cell import EmulatedCell, Processes, free_ports, join, uniform_scenario  # noqa: E402
from memory_group import DiskGroup, MemoryGroup, OwnDisk, drop_from_page_cache  # noqa: E402

DEVICES = 4
PROMPTS = [
    "It was a cold evening, and the old man", "The history of the railway begins",
    "def read(path):\n", "What is the sum of 12 and 30?"]
# A file system's own room, beside a model.
DISK_BYTES = 16 << 20
# Room for what the process takes beside what was measured of it. What it leaves keeps pages of the file, so
# it is to be small beside the experts' share.
SPARE_BYTES = 3 << 20
# A disk's speed wanders: the time of an expert from the file is the median of so many runs.
FILE_RUNS = 3


class Server:
    """`martlet serve`, in a memory group if there is one, with devices if ports are given."""

    def __init__(self, experiment, processes, choices, limit=None, ports=()):
        self.group = experiment.group
        options = experiment.options
        self.log = pathlib.Path(experiment.folder.name, "serve.log")
        if self.group:
            self.group.limit(None)
            drop_from_page_cache(options.model)
            if limit:
                self.group.limit(limit)
        listen = ["--devices-listen", f"127.0.0.1:{experiment.target}", "--wait-devices", DEVICES,
                  "--deadline", 60, "--copies", 1, "--replan", "off"] if ports else []
        self.process = subprocess.Popen(
            [str(part) for part in [
                options.martlet, "serve", "--model", options.model, "--http", "127.0.0.1:0",
                "--keep-ahead", "off",
                "--threads", 1, "--load", "dense", "--log-level", "warning", *listen, *choices]],
            stdout=subprocess.DEVNULL, stderr=open(self.log, "w"),
            preexec_fn=experiment.enter_groups)
        processes.started.append(self.process)
        self.port = self.says(r"listening for requests on http://127.0.0.1:(\d+)")[1]
        for number, port in enumerate(ports):
            join(processes, options.martlet, port, f"d{number}",
                 f"{experiment.folder.name}/d{number}", "--memory",
                 experiment.device_experts * experiment.expert_bytes)
        end = time.monotonic() + options.patience
        while not self.is_ready(len(ports)):
            self.check(end, "become ready")
        self.answer(PROMPTS[0], 8)

    def check(self, end, what):
        time.sleep(0.1)
        if self.process.poll() is not None or time.monotonic() > end:
            raise SystemExit(f"the server did not {what}: {self.log.read_text()[-400:]}")

    def says(self, pattern):
        end = time.monotonic() + 60
        while not (found := re.search(pattern, self.log.read_text())):
            self.check(end, f"say {pattern}")
        return found

    def is_ready(self, devices):
        """Whether all devices are there and hold all that they were given, and requests are answered."""
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ready").close()
        except urllib.error.HTTPError:
            return False
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/dashboard/status") as answer:
            here = json.load(answer)["status"]["devices"]
        return len(here) >= devices and all(
            device["ready_experts"] == device["experts"] for device in here)

    def answer(self, prompt, tokens):
        """One answer: tokens, by token its visits, seconds between tokens, and the usage."""
        body = json.dumps({
            "prompt": prompt, "max_tokens": tokens, "temperature": 0, "stream": True,
            "stream_options": {"include_usage": True}, "martlet": {"trace": True}}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/v1/completions", body,
            {"Content-Type": "application/json"})
        result = {"tokens": [], "visits": [], "times": [], "began": time.perf_counter()}
        try:
            with urllib.request.urlopen(request) as stream:
                for line in stream:
                    if not line.startswith(b"data: {"):
                        continue
                    event = json.loads(line[6:])
                    if event.get("object") == "martlet.trace":
                        result["times"].append(time.perf_counter())
                        result["tokens"].append(event["martlet"]["token"])
                        result["visits"].append(event["martlet"]["visits"])
                    elif event.get("usage"):
                        result["usage"] = event["usage"]["martlet"]
        except (urllib.error.URLError, ConnectionError) as error:
            raise SystemExit(f"the server failed: {error}; {self.log.read_text()[-400:]}")
        if "usage" not in result:
            raise SystemExit(f"the server ended within an answer: {self.log.read_text()[-400:]}")
        return result


def decoded(answers):
    """Of decoded tokens, the prompt's step left out: milliseconds, round trips and frames a token."""
    seconds = [later - earlier for answer in answers
               for earlier, later in zip(answer["times"], answer["times"][1:])]
    layers = [[{visit["device"] for visit in layer} - {None} for layer in token]
              for answer in answers for token in answer["visits"][1:]]
    return {
        "ms_per_token": 1e3 * statistics.mean(seconds),
        "median_ms": 1e3 * statistics.median(seconds),
        "round_trips": sum(bool(devices) for token in layers for devices in token) / len(layers),
        "frames": sum(len(devices) for token in layers for devices in token) / len(layers)}


class Experiment:
    def __init__(self, options, processes, group, disk=None):
        self.options = options
        self.groups = [one for one in (group, disk) if one]
        self.processes = processes
        self.group = group
        self.folder = tempfile.TemporaryDirectory()
        report = json.loads(self.run("inspect", "--json", options.model))
        self.layers = report["model"]["layers"]
        self.visits = self.layers * report["model"]["expertsPerToken"]
        self.count = self.layers * report["model"]["experts"]
        self.expert_bytes = report["model"]["largestExpertBytes"]
        self.dense_bytes = report["tensorBytes"] - report["model"]["expertBytes"]
        self.device_experts = self.count // 2 // DEVICES
        self.profile = f"{self.folder.name}/profile.db"
        self.run("calibrate", "--model", options.model, "--file", options.calibration, "--output",
                 self.profile)
        self.alone = [json.loads(self.run(
            "generate", "--model", options.model, "--prompt", prompt, "--max-tokens",
            options.tokens, "--json"))["tokens"] for prompt in PROMPTS]
        self.target = free_ports(1)
        scenario = pathlib.Path(self.folder.name, "uniform.yaml")
        scenario.write_text(uniform_scenario(
            DEVICES, options.megabits * 1e6, options.round_trip_ms / 2e3))
        self.ports = EmulatedCell(processes, options.martlet, scenario, self.target).ports

    def enter_groups(self):
        for group in self.groups:
            group.enter()

    def run(self, *arguments):
        return subprocess.run(
            [self.options.martlet, *map(str, arguments)], check=True, capture_output=True).stdout

    def serve(self, choices=(), limit=None, ports=()):
        """Answers all prompts with a fresh base station."""
        with Processes() as processes:
            server = Server(self, processes, choices, limit, ports)
            answers = [server.answer(prompt, self.options.tokens)
                       for _ in range(self.options.repetitions) for prompt in PROMPTS]
            self.own_bytes = self.group.own_bytes() if self.group else 0
        return answers

    def measure_machine(self):
        """Seconds of a device's message and visit, and of visits at the base station."""
        alone = self.serve()
        warm, alone_bytes = decoded(alone)["ms_per_token"] / 1e3, self.own_bytes
        through = self.serve(ports=self.ports)
        devices = {}
        for answer in through:
            for name, costs in answer["usage"]["devices"].items():
                for key, value in costs.items():
                    devices.setdefault(name, {}).setdefault(key, 0)
                    devices[name][key] += value
        self.message = {name: (costs["round_trip_seconds"] - costs["compute_seconds"])
                        / costs["round_trips"] for name, costs in devices.items()}
        self.visit = {name: costs["compute_seconds"] / costs["pairs"]
                      for name, costs in devices.items()}
        self.resident_seconds = statistics.mean(self.visit.values())
        self.other_seconds = max(0, warm - self.visits * self.resident_seconds)
        self.file_seconds = self.options.file_ms / 1e3
        if self.group:
            self.file_seconds = self.measured_file_seconds(alone)
        print(f"a token without devices: {1e3 * warm:.2f} ms, {1e3 * self.other_seconds:.2f} of them "
              f"not in experts; a visit in memory {1e3 * self.resident_seconds:.3f} ms, from the file "
              f"{1e3 * self.file_seconds:.2f} ms")
        print("a device's message and visit: " + ", ".join(
            f"{name} {1e3 * self.message[name]:.2f} and {1e3 * self.visit[name]:.3f} ms"
            for name in sorted(self.message)))
        if self.group:
            print(f"the base station's process: {alone_bytes / 1e6:.1f} MB, dense weights "
                  f"{self.dense_bytes / 1e6:.1f} MB, an expert {self.expert_bytes / 1e6:.2f} MB",
                  flush=True)

    def measured_file_seconds(self, alone):
        """Of an expert that is read as a plan's are which no machine holds.

        A base station alone, with room for one token's visits to a layer, so that nearly all are read; how much
        longer it takes for the same answers, by what was read.
        """
        def seconds(answers):
            return sum(answer["times"][-1] - answer["began"] for answer in answers)

        plan = pathlib.Path(self.folder.name, "alone.json")
        plan.write_text(json.dumps({
            "martletPlan": 1, "model": json.loads(pathlib.Path(self.plan(0)[0]).read_text())["model"],
            "resident": [], "devices": [],
            "recentBytes": self.visits // self.layers * self.expert_bytes}))
        choices = ["--plan", plan, "--devices-listen", f"127.0.0.1:{free_ports(1)}"]
        self.serve(choices)
        limit = self.own_bytes + SPARE_BYTES
        measured = []
        for _ in range(FILE_RUNS):
            answers = self.serve(choices, limit)
            read = sum(answer["usage"]["file_visits"] for answer in answers)
            if read == 0:
                raise SystemExit("nothing was read from the file: is the model larger than the memory group's limit?")
            measured.append(
                self.resident_seconds + max(0, seconds(answers) - seconds(alone)) / read)
        return statistics.median(measured)

    def plan(self, resident):
        mean = statistics.mean(self.message.values())
        devices = [{
            "name": f"d{k}", "memoryBytes": self.device_experts * self.expert_bytes,
            "messageSeconds": self.message.get(f"d{k}", mean),
            "visitSeconds": self.visit.get(f"d{k}", self.resident_seconds)}
            for k in range(DEVICES)]
        problem = pathlib.Path(self.folder.name, "devices.json")
        problem.write_text(json.dumps({
            "devices": devices, "residentSeconds": self.resident_seconds,
            "fileSeconds": self.file_seconds, "frameSeconds": self.options.frame_us / 1e6,
            "promptRows": 0}))
        output = f"{self.folder.name}/plan.json"
        memory = ["--resident", resident * self.expert_bytes] if resident else []
        told = self.run("plan", "deploy", "--model", self.options.model, "--profile", self.profile,
                        "--devices", problem, "--output", output, "--json", "--copies", 1,
                        "--slack", self.options.slack, *memory)
        return output, json.loads(told)

    def limit_of(self, choices):
        self.serve(choices, ports=self.ports)
        return self.own_bytes + SPARE_BYTES

    def measure(self, share):
        resident = int(self.count * share)
        plan, foreseen = self.plan(resident)
        own = ["--profile", self.profile] + (
            ["--resident", resident * self.expert_bytes] if resident else [])
        ways = {"proportional": [], "proportional, resident by profile": own,
                "planned": ["--plan", plan]}
        # What the process takes with its share in memory: with a profile it takes a little more.
        limit = self.group and max(
            self.limit_of(choices) for name, choices in ways.items() if name != "proportional")
        bound = 1e3 * (self.other_seconds + foreseen["bound"]["seconds"])
        print(f"{resident} of {self.count} experts here: no lasting placement takes less than {bound:.2f} ms a "
              f"token, with {foreseen['bound']['roundTripsPerToken']:.2f} round trips", flush=True)
        for name, choices in ways.items():
            answers = self.serve(choices, limit, self.ports)
            row = {"resident": resident, "way": name, **decoded(answers), "bound_ms": bound,
                   "bound_round_trips": foreseen["bound"]["roundTripsPerToken"],
                   "file_ms": 1e3 * self.file_seconds, "slack": self.options.slack,
                   "same_tokens": [answer["tokens"] for answer in answers]
                   == self.alone * self.options.repetitions}
            if name == "planned":
                row["foreseen_ms"] = 1e3 * (self.other_seconds + foreseen["secondsPerToken"])
                row["foreseen_round_trips"] = foreseen["roundTripsPerToken"]
                row["foreseen_frames"] = foreseen["framesPerToken"]
            print(f"  {name:34} {row['ms_per_token']:.2f} ms a token ({row['ms_per_token'] / bound:.2f} "
                  f"of the bound; median {row['median_ms']:.2f}), {row['round_trips']:.2f} round trips, "
                  f"{row['frames']:.2f} frames, tokens "
                  + ("as alone" if row["same_tokens"] else "DIFFER"), flush=True)
            yield row


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--martlet", required=True)
    parser.add_argument("--model", default="Models/demo-mixtral-q8_0.gguf")
    parser.add_argument("--calibration", required=True, help="a text")
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--repetitions", type=int, default=1, help="of all prompts")
    parser.add_argument("--shares", type=float, nargs="+", default=[0, 0.125, 0.25, 0.375, 0.5],
                        help="of all experts, at the base station")
    parser.add_argument("--round-trip-ms", type=float, default=3)
    parser.add_argument("--megabits", type=float, default=100)
    parser.add_argument("--slack", type=float, default=0.03, help="as plan deploy's")
    parser.add_argument("--frame-us", type=float, default=100,
                        help="what a frame costs the base station itself")
    parser.add_argument("--file-ms", type=float, default=2,
                        help="a visit from the file, where it cannot be measured")
    parser.add_argument("--disk-megabytes", type=float,
                        help="at most so many MB/s from the disk, as a slower one's (cgroup version 1)")
    parser.add_argument("--keep-cache", action="store_true", help="no memory group, a warm page cache")
    parser.add_argument("--patience", type=float, default=120, help="seconds until devices are ready")
    parser.add_argument("--output", help="a folder for live_caching.csv")
    options = parser.parse_args()
    reason = "--keep-cache" if options.keep_cache else MemoryGroup.why_not()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        group = slow = None
        try:
            if not reason:
                size = os.path.getsize(options.model)
                disk = stack.enter_context(OwnDisk(folder, size + size // 8 + DISK_BYTES))
                options.model = shutil.copy(options.model, disk.mount)
                group = stack.enter_context(MemoryGroup(f"martlet-{os.getpid()}"))
                if options.disk_megabytes:
                    slow = stack.enter_context(DiskGroup(
                        f"martlet-{os.getpid()}", options.model, int(options.disk_megabytes * 1e6)))
        except (OSError, subprocess.CalledProcessError) as error:
            reason = f"{error} {getattr(error, 'stderr', None) or ''}"
        if reason:
            print(f"without a limit on the base station's memory: {reason}")
        rows = run(Experiment(options, stack.enter_context(Processes()), group, slow))
    if options.output:
        write(rows, pathlib.Path(options.output, "live_caching.csv"))


def run(experiment):
    experiment.measure_machine()
    return [row for share in experiment.options.shares for row in experiment.measure(share)]


def write(rows, path):
    fields = ["resident", "way", "ms_per_token", "median_ms", "bound_ms", "round_trips",
              "bound_round_trips", "frames", "same_tokens", "file_ms", "slack", "foreseen_ms",
              "foreseen_round_trips", "foreseen_frames"]
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=fields)
        writer.writeheader()
        writer.writerows(
            {k: f"{v:.4g}" if isinstance(v, float) else v for k, v in row.items()} for row in rows)


if __name__ == "__main__":
    main()
