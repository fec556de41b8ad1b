#!/usr/bin/env python3
"""Frames and round trips of the live base station, planned and in proportion to speed: CSV.

    Experiments/live_caching.py --martlet PATH --calibration mix.txt [--model model.gguf] [--output FOLDER]

Four device processes together have memory for half of all experts, the base station for a share of its
own; the rest is computed from the base station's file. The plan is martlet plan deploy's, from the
calibration text; the prompts are others. Counts do not depend on the machine; times do. Tokens are
compared with a run without devices.
"""
import argparse
import csv
import json
import pathlib
import socket
import subprocess
import tempfile

DEVICES = 4
PROMPTS = [
    "It was a cold evening, and the old man", "The history of the railway begins",
    "def read(path):\n", "What is the sum of 12 and 30?"]


class Experiment:
    def __init__(self, options):
        self.options = options
        self.folder = tempfile.TemporaryDirectory()
        report = json.loads(self.run("inspect", "--json", options.model))["model"]
        self.expert_bytes = report["largestExpertBytes"]
        self.count = report["layers"] * report["experts"]
        self.device_experts = self.count // 2 // DEVICES
        self.profile = f"{self.folder.name}/profile.db"
        self.run("calibrate", "--model", options.model, "--file", options.calibration, "--output",
                 self.profile)

    def run(self, *arguments):
        return subprocess.run(
            [self.options.martlet, *map(str, arguments)], check=True, capture_output=True).stdout

    def plan(self, resident):
        devices = [{
            "name": f"d{k}", "memoryBytes": self.device_experts * self.expert_bytes,
            "messageSeconds": self.options.round_trip_ms / 1e3, "visitSeconds": 0.0003,
        } for k in range(DEVICES)]
        problem = pathlib.Path(self.folder.name, "devices.json")
        problem.write_text(json.dumps({
            "devices": devices, "residentSeconds": 0.0001,
            "fileSeconds": self.options.file_ms / 1e3, "promptRows": 0}))
        output = f"{self.folder.name}/plan.json"
        memory = ["--resident", resident * self.expert_bytes] if resident else []
        told = self.run("plan", "deploy", "--model", self.options.model, "--profile", self.profile,
                        "--devices", problem, "--output", output, "--json", *memory)
        return output, json.loads(told)

    def generate(self, prompt, choices):
        """The tokens and costs of one answer over four devices."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        base = subprocess.Popen(
            [self.options.martlet, "generate", "--model", self.options.model, "--prompt", prompt,
             "--max-tokens", str(self.options.tokens), "--devices-listen", f"127.0.0.1:{port}",
             "--wait-devices", str(DEVICES), "--copies", "1", "--json", *map(str, choices)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        # Devices may only dial once somebody listens.
        for line in base.stderr:
            if line.startswith(b"listening"):
                break
        devices = [
            subprocess.Popen(
                [self.options.martlet, "join", f"127.0.0.1:{port}", "--name", f"d{k}", "--memory",
                 str(self.device_experts * self.expert_bytes), "--cache",
                 f"{self.folder.name}/d{k}", "--threads", "1", "--once", "--quiet"],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for k in range(DEVICES)]
        out, error = base.communicate(timeout=120)
        for device in devices:
            device.terminate()
            device.wait()
        if base.returncode:
            raise SystemExit(error.decode()[-300:])
        answer = json.loads(out)
        return answer["tokens"], answer["costs"]

    def alone(self, prompt):
        return json.loads(self.run(
            "generate", "--model", self.options.model, "--prompt", prompt, "--max-tokens",
            self.options.tokens, "--json"))["tokens"]

    def measure(self, share):
        resident = int(self.count * share)
        plan, foreseen = self.plan(resident)
        own = ["--profile", self.profile] + (
            ["--resident", resident * self.expert_bytes] if resident else [])
        ways = {"proportional": [], "proportional, resident by profile": own,
                "planned": ["--plan", plan]}
        for name, choices in ways.items():
            steps = trips = frames = 0
            same = True
            for prompt in PROMPTS:
                tokens, costs = self.generate(prompt, choices)
                steps += costs["steps"]
                trips += costs["roundTrips"]
                frames += sum(device["roundTrips"] for device in costs["devices"].values())
                same = same and tokens == self.alone(prompt)
            row = {"resident": resident, "way": name, "round_trips": trips / steps,
                   "frames": frames / steps, "same_tokens": same}
            if name == "planned":
                row["foreseen_round_trips"] = foreseen["roundTripsPerToken"]
                row["foreseen_frames"] = foreseen["framesPerToken"]
            print(f"{resident:3} of {self.count} experts here, {name:34} {row['round_trips']:.2f} round "
                  f"trips, {row['frames']:.2f} frames a step, tokens "
                  + ("as alone" if same else "DIFFER"), flush=True)
            yield row


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--martlet", required=True)
    parser.add_argument("--model", default="Models/demo-mixtral-q8_0.gguf")
    parser.add_argument("--calibration", required=True, help="a text")
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--round-trip-ms", type=float, default=3)
    parser.add_argument("--file-ms", type=float, default=2, help="to read an expert from the file")
    parser.add_argument("--output", help="a folder for live_caching.csv")
    options = parser.parse_args()
    experiment = Experiment(options)
    rows = [row for share in (0, 0.125, 0.25, 0.375, 0.5) for row in experiment.measure(share)]
    if options.output:
        fields = ["resident", "way", "round_trips", "frames", "same_tokens", "foreseen_round_trips",
                  "foreseen_frames"]
        with open(pathlib.Path(options.output, "live_caching.csv"), "w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=fields)
            writer.writeheader()
            writer.writerows(
                {k: f"{v:.4g}" if isinstance(v, float) else v for k, v in row.items()} for row in rows)


if __name__ == "__main__":
    main()
