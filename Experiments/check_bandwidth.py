#!/usr/bin/env python3
"""Checks `martlet plan bandwidth` against a convex solver on random problems.

Each problem is solved by scipy's SLSQP as the convex programme it is, with slack:
    minimise tau   subject to   o_k + n_k t_k(B_k) <= tau,   sum B_k <= B,
started from the equal split; its answer is made feasible (the slowest device's time under its own
split), so it can only be too slow, never too fast. martlet must not be slower than that by more than
1e-6, and must not beat the dual bound (the spectrum needed for a time 1e-6 shorter exceeds B).

    python3 -m venv .venv && .venv/bin/pip install scipy
    .venv/bin/python Experiments/check_bandwidth.py PATH_TO_MARTLET [--problems 1000] [--seed 1]
"""
import argparse
import json
import math
import random
import subprocess
import sys
import tempfile
import time

import numpy
from scipy.optimize import brentq, minimize


def rate(hertz, power, gain, noise):
    """Shannon rate in bit/s."""
    return hertz * numpy.log1p(power * gain / (noise * hertz)) / math.log(2)


def token_seconds(device, hertz, noise):
    return (
        device["bitsDown"] / rate(hertz, device["powerDownWatts"], device["gain"], noise)
        + device["bitsUp"] / rate(hertz, device["powerUpWatts"], device["gain"], noise)
        + device["computeSeconds"]
    )


def device_seconds(device, hertz, noise):
    return device["messageSeconds"] + device["tokens"] * token_seconds(device, hertz, noise)


def random_problem(generator, count):
    devices = []
    for number in range(count):
        distance = 10 ** generator.uniform(1, 2.6)
        loss = 32.4 + 20 * math.log10(3.5) + 20 * math.log10(distance)
        devices.append(
            {
                "name": f"d{number}",
                "tokens": generator.choice([0, 1, generator.randrange(1, 300)]),
                "bitsDown": 65536.0,
                "bitsUp": generator.choice([65536.0, 16384.0]),
                "gain": 10 ** (-loss / 10) * max(1e-3, generator.expovariate(1)),
                "powerDownWatts": 10.0,
                "powerUpWatts": 0.2,
                "computeSeconds": 352.3e6 / (generator.uniform(2, 37) * 1e12),
                "messageSeconds": generator.choice([0.0, generator.uniform(0, 0.01)]),
            }
        )
    return {"totalHertz": 1e8, "noiseWattsPerHertz": 3.98107e-21, "devices": devices}


def convex_optimum(problem):
    """The slowest device's time under the solver's split."""
    noise, total = problem["noiseWattsPerHertz"], problem["totalHertz"]
    active = [device for device in problem["devices"] if device["tokens"] > 0]
    if not active:
        return 0.0
    count = len(active)
    unit = total / count
    shares = numpy.ones(count)
    scale = max(device_seconds(d, unit, noise) for d in active)

    def slack(x):
        return numpy.array(
            [x[count] - device_seconds(d, x[k] * unit, noise) / scale for k, d in enumerate(active)]
        )

    start = numpy.append(shares * 0.999, 1.01)
    answer = minimize(
        lambda x: x[count],
        start,
        jac=lambda x: numpy.append(numpy.zeros(count), 1.0),
        constraints=[
            {"type": "ineq", "fun": slack},
            {"type": "ineq", "fun": lambda x: count - x[:count].sum()},
        ],
        bounds=[(1e-6, count)] * count + [(0, None)],
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    split = numpy.maximum(answer.x[:count], 1e-6)
    split *= count / split.sum()
    return max(device_seconds(d, split[k] * unit, noise) for k, d in enumerate(active))


def spectrum_needed(problem, seconds):
    """The bandwidth with which everybody finishes by `seconds`: infinite if nobody can."""
    noise, total = problem["noiseWattsPerHertz"], problem["totalHertz"]
    needed = 0.0
    for device in problem["devices"]:
        if device["tokens"] == 0:
            continue
        excess = lambda hertz: device_seconds(device, hertz, noise) - seconds
        if excess(total) > 0:
            return math.inf
        needed += brentq(excess, 1e-3, total, xtol=1e-6, rtol=1e-14)
    return needed


def plan(martlet, problem, folder, method="minmax"):
    path = f"{folder}/problem.json"
    with open(path, "w") as file:
        json.dump(problem, file)
    command = [martlet, "plan", "bandwidth", "--problem", path, "--method", method, "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("martlet")
    parser.add_argument("--problems", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    worst_solver = worst_bound = 0.0
    beaten = 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.problems):
            generator = random.Random(options.seed * 1_000_003 + number)
            problem = random_problem(generator, generator.randrange(1, 11))
            answer = plan(options.martlet, problem, folder)
            best = convex_optimum(problem)
            if best > 0:
                difference = answer["seconds"] / best - 1
                worst_solver = max(worst_solver, difference)
                beaten += difference < -1e-6
                needed = spectrum_needed(problem, answer["seconds"] * (1 - 1e-6))
                if needed <= problem["totalHertz"]:
                    worst_bound = max(worst_bound, 1e-6)
                    print(f"seed {options.seed}, problem {number}: not optimal", file=sys.stderr)
            if sum(answer["hertz"]) > problem["totalHertz"] * (1 + 1e-12):
                sys.exit(f"seed {options.seed}, problem {number}: more spectrum than there is")
        generator = random.Random(options.seed)
        large = random_problem(generator, 10_000)
        large["totalHertz"] = 1e11
        elapsed = {}
        for method in ["equal", "minmax"] * 3:
            start = time.perf_counter()
            plan(options.martlet, large, folder, method)
            elapsed[method] = min(elapsed.get(method, 1e9), time.perf_counter() - start)
    print(
        f"{options.problems} problems: at most {worst_solver:.1e} slower than the convex solver "
        f"({beaten} times faster than its answer by more than 1e-6); never 1e-6 from the bound: "
        f"{worst_bound == 0}; 10,000 devices take {elapsed['minmax'] - elapsed['equal']:.3f} s longer "
        "than the equal split of the same file"
    )
    sys.exit(worst_solver > 1e-6 or worst_bound > 0)


if __name__ == "__main__":
    main()
