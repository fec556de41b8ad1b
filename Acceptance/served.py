"""A martlet server of its own for a check, on loopback, ended with it."""
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request


class Server:
    """`martlet serve` on free ports; `device(name)` adds a device."""

    def __init__(self, martlet, model, *options, devices=False):
        self.martlet, self.processes = martlet, []
        self.log = tempfile.NamedTemporaryFile("w+", suffix=".log")
        command = [martlet, "serve", "--model", model, "--http", "127.0.0.1:0", *options]
        if devices:
            command += ["--devices-listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(command, stderr=self.log, stdout=subprocess.DEVNULL)
        self.processes.append(self.process)
        self.url = self.wait_for("listening for requests on ").removesuffix("/v1")
        if devices:
            self.cell = self.wait_for("listening for devices on ")

    def wait_for(self, prefix, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with open(self.log.name) as log:
                for line in log:
                    if line.startswith(prefix) and line.endswith("\n"):
                        return line[len(prefix):].strip()
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.stop()
        with open(self.log.name) as log:
            sys.exit("the server did not say \"" + prefix + "\":\n" + log.read())

    def device(self, name):
        process = subprocess.Popen(
            [self.martlet, "join", self.cell, "--name", name, "--cache", "none", "--memory", "1GiB",
             "--threads", "1", "--once", "--quiet"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.processes.append(process)
        return process

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=30) as reply:
            return reply.read().decode()

    def metrics(self):
        """Values by name and labels, as on the page."""
        lines = (line for line in self.get("/metrics").splitlines() if not line.startswith("#"))
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}

    def resident_mebibytes(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def threads(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def stop(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextlib.contextmanager
def serving(*arguments, **options):
    server = Server(*arguments, **options)
    try:
        yield server
    finally:
        server.stop()


def check(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")
    print(f"ok: {what}", flush=True)
