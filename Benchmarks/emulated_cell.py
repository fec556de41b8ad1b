"""Programs in an emulated cell: `martlet cell` between a base station and devices on this machine."""
import json
import math
import pathlib
import re
import socket
import subprocess
import tempfile
import time

NOISE_WATTS_PER_HERTZ = 4.0e-21

UNIFORM = """
name: uniform
shape: {{ hidden: 1024, expertInner: 1024, layers: 1, experts: 8, topK: 2, bitsPerElement: 16 }}
radio:
  carrierGHz: 3.5
  totalBandwidthHz: {hertz}
  noiseWattsPerHz: {noise}
  powerDownWatts: 1.0
  powerUpWatts: 1.0
  pathLossDb: reference
  fading: none
devices:
{devices}
link: {{ delaySeconds: {delay} }}
"""


def uniform_scenario(devices, bits_per_second, delay_seconds):
    """A cell of still, equal devices 50 m away without fading, each at that rate either way."""
    loss = 32.4 + 20 * math.log10(3.5) + 20 * math.log10(50)

    def rate(hertz):
        return hertz * math.log2(1 + 10 ** (-loss / 10) / (NOISE_WATTS_PER_HERTZ * hertz))

    low, high = 1.0, 1e12
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if rate(middle) < bits_per_second else (low, middle)
    lines = "\n".join(
        f"  - {{ name: d{k}, distanceMetres: 50, teraflops: 1 }}" for k in range(devices))
    return UNIFORM.format(
        hertz=high * devices, noise=NOISE_WATTS_PER_HERTZ, devices=lines, delay=delay_seconds)


def device_names(scenario):
    """The devices of a scenario file, in order."""
    return re.findall(r"- *{ *name: *([^, ]+)", pathlib.Path(scenario).read_text())


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
    raise SystemExit("no ports are free")


def wait_for(port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nobody listens on port {port}")


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


class EmulatedCell:
    """`martlet cell` before port `target` (dialer "device") or the ports from it on ("base")."""

    def __init__(self, processes, martlet, scenario, target, dialer="device", model=None, options=()):
        self.log = tempfile.NamedTemporaryFile("w+", suffix=".jsonl")
        command = [martlet, "cell", "--scenario", scenario, "--to", f"127.0.0.1:{target}", "--listen",
                   "127.0.0.1:0", "--control", "0", "--dialer", dialer, "--json", *options]
        command += ["--model", model] if model else []
        process = processes.start(command, stdout=self.log)
        line = ""
        while not line.endswith("\n"):
            if process.poll() is not None:
                raise SystemExit("martlet cell ended; try its command by hand: "
                                 + " ".join(map(str, command)))
            time.sleep(0.02)
            # Opened anew: the cell writes where this file's own position is.
            with open(self.log.name) as log:
                line = log.readline()
        settings = json.loads(line)
        self.ports = [device["port"] for device in settings["devices"]]
        self.control = settings.get("controlPort")


def join(processes, martlet, port, name, cache, *options):
    """A device of one thread that dials the port."""
    return processes.start(
        [martlet, "join", f"127.0.0.1:{port}", "--name", name, "--cache", cache, "--threads", 1,
         "--once", "--quiet", *options], stdout=subprocess.DEVNULL)
