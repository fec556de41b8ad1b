#!/usr/bin/env python3
"""How exact `martlet cell` is: throughput and one-way delay against the setting.

    Benchmarks/cell_accuracy.py --martlet PATH [--total 400e6] [--devices 8] [--seconds 5]

A cell of equal, still devices without fading, each at total / devices bit/s in both directions. The cell
runs on core 0, the load on core 1 (--no-pin lets the system choose). Throughput: every device
saturated, half of them downwards. Delay: messages of several sizes through one device, alone and
beside a saturated rest; expected is bytes * 8 / rate + the link's delay, packets taken as exact.
"""
import argparse
import json
import multiprocessing
import os
import pathlib
import socket
import statistics
import subprocess
import tempfile
import threading
import time

from emulated_cell import uniform_scenario


def listener():
    server = socket.create_server(("127.0.0.1", 0), backlog=64)
    return server, server.getsockname()[1]


class Cell:
    """A cell before `target`, and its ports."""

    def __init__(self, options, target):
        self.rate = options.total / options.devices
        self.folder = tempfile.TemporaryDirectory()
        path = pathlib.Path(self.folder.name, "accuracy.yaml")
        path.write_text(uniform_scenario(options.devices, self.rate, options.delay))
        command = [options.martlet, "cell", "--scenario", str(path), "--to",
                   f"127.0.0.1:{target}", "--listen", "127.0.0.1:0", "--control", "0", "--json"]
        if options.pin:
            command = ["taskset", "-c", "0"] + command
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        settings = json.loads(self.process.stdout.readline())
        self.ports = [device["port"] for device in settings["devices"]]
        threading.Thread(target=self.drain, daemon=True).start()

    def drain(self):
        for line in self.process.stdout:
            self.punctuality = json.loads(line)["punctuality"]

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")")[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        """Ends it, and says how late packets left it, whatever their receivers did."""
        time.sleep(1.1)
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()
        late = self.punctuality
        print(f"  packets left the cell {late['meanLateSeconds'] * 1e3:.3f} ms late on average, "
              f"{late['latePackets']} of {late['packets']} more than 0.5 ms, the worst "
              f"{late['worstLateSeconds'] * 1e3:.2f} ms")


def connect(server, port):
    """Both ends of a connection through the cell."""
    near = socket.create_connection(("127.0.0.1", port))
    far, _ = server.accept()
    for end in (near, far):
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return near, far


def pump(sender, receiver, counts, index, running):
    data = b"x" * 65536

    def send():
        try:
            while running.is_set():
                sender.sendall(data)
        except OSError:
            pass

    threading.Thread(target=send, daemon=True).start()
    buffer = bytearray(65536)
    while running.is_set():
        counts[index] += receiver.recv_into(buffer)


def load(pairs, pin, counts, running):
    """Saturates connections until told to stop; a process of its own."""
    if pin:
        os.sched_setaffinity(0, {1})
    threads = [
        threading.Thread(target=pump, args=(sender, receiver, counts, index, running), daemon=True)
        for index, (sender, receiver) in enumerate(pairs)]
    for thread in threads:
        thread.start()
    while running.is_set():
        time.sleep(0.05)


def start_load(pairs, options):
    counts = multiprocessing.Array("q", len(pairs), lock=False)
    running = multiprocessing.Event()
    running.set()
    process = multiprocessing.Process(target=load, args=(pairs, options.pin, counts, running))
    process.start()
    return process, counts, running


def throughput(options):
    server, port = listener()
    cell = Cell(options, port)
    pairs = []
    for index, device in enumerate(cell.ports):
        near, far = connect(server, device)
        pairs.append((near, far) if index % 2 == 0 else (far, near))
    process, counts, running = start_load(pairs, options)
    time.sleep(1.5)
    first, began, cpu = list(counts), time.perf_counter(), cell.cpu_seconds()
    time.sleep(options.seconds)
    last, elapsed = list(counts), time.perf_counter() - began
    cpu = (cell.cpu_seconds() - cpu) / elapsed
    running.clear()
    process.terminate()
    process.join()
    errors = [
        (after - before) * 8 / elapsed / cell.rate - 1 for before, after in zip(first, last)]
    total = sum(after - before for before, after in zip(first, last)) * 8 / elapsed
    print(f"throughput, {options.devices} devices at {cell.rate / 1e6:.1f} Mbit/s: together "
          f"{total / 1e6:.1f} Mbit/s ({total / options.total - 1:+.2%}), devices "
          f"{min(errors):+.2%} to {max(errors):+.2%}; the cell used {cpu:.0%} of a core")
    cell.stop()


def put_first():
    """Lets this process run before all others of its core, if that is allowed."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        print("not allowed to measure with priority: delays include waiting for the load generator")


def delays(options, loaded):
    server, port = listener()
    cell = Cell(options, port)
    pairs = [connect(server, device) for device in cell.ports]
    near, far = pairs[0]
    if loaded:
        process, _, running = start_load(pairs[1:], options)
        time.sleep(1)
    if options.pin:
        os.sched_setaffinity(0, {1})
    # Else the load generator's turns on this core would be counted as the cell's delay.
    put_first()
    print(f"delay, {'all others saturated' if loaded else 'nothing else sent'}:")
    for size in (1, 1_000, 8_192, 65_536):
        errors = []
        data, buffer = b"x" * size, bytearray(size)
        for number in range(options.messages):
            sender, receiver = (near, far) if number % 2 else (far, near)
            began = time.perf_counter()
            sender.sendall(data)
            view = memoryview(buffer)
            while view:
                view = view[receiver.recv_into(view):]
            taken = time.perf_counter() - began
            errors.append(taken - (8 * size / cell.rate + options.delay))
            time.sleep(0.002)
        errors.sort()
        wanted = 8 * size / cell.rate + options.delay
        print(f"  {size:6} bytes, expected {wanted * 1e3:8.3f} ms: off by median "
              f"{statistics.median(errors) * 1e3:+.3f} ms, 95th percentile "
              f"{errors[int(0.95 * len(errors))] * 1e3:+.3f} ms, worst {errors[-1] * 1e3:+.3f} ms")
    if loaded:
        running.clear()
    cell.stop()
    if loaded:
        process.terminate()
        process.join()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--martlet", required=True)
    parser.add_argument("--total", type=float, default=400e6, help="bit/s of all devices")
    parser.add_argument("--devices", type=int, default=8)
    parser.add_argument("--delay", type=float, default=0.001, help="seconds each way")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--messages", type=int, default=200)
    parser.add_argument("--no-pin", dest="pin", action="store_false")
    options = parser.parse_args()
    throughput(options)
    delays(options, loaded=False)
    delays(options, loaded=True)


if __name__ == "__main__":
    main()
