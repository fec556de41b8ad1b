#!/usr/bin/env python3
"""Checks `martlet plan caching` against the optimum of a mixed-integer linear programme.

Random small problems: 2-4 servers, 2-3 layers, 4-8 experts, K = 1, 2, 4, one or two models, users with
experts of their own. Each is solved by scipy's HiGHS:
    minimise sum_i w_i T_i   subject to   T_i >= sum_s y_{u,e,s} d_{u,s} for each expert e of set i,
    sum_s y_{u,e,s} = 1,   y_{u,e,n} <= x_{n,e},   sum_e s_e x_{n,e} <= Q_n,   x binary,
with s over servers, the cloud and, for experts that the user holds, the user itself. The script
evaluates every placement itself, and prints each algorithm's share of the optimal saving: apart for
problems in which every server has room for at least K experts, and for the others. Problems in which
nothing can be saved are left out.

    python3 -m venv .venv && .venv/bin/pip install scipy
    .venv/bin/python Experiments/check_caching.py PATH_TO_MARTLET [--problems 200] [--seed 1]
"""
import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections import defaultdict

import numpy
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_matrix

ALGORITHMS = ["best", "successive", "maxconv", "greedy", "lfu", "same", "random"]


def random_sets(generator, experts, size, count, skew):
    """Sets of `size` experts, popular ones more often, with probabilities that sum to 1."""
    weights = [1 / (rank + 1) ** skew for rank in range(experts)]
    sets = defaultdict(float)
    for _ in range(count):
        left, chosen = list(range(experts)), []
        for _ in range(size):
            pick = generator.choices(left, [weights[e] for e in left])[0]
            left.remove(pick)
            chosen.append(pick)
        sets[tuple(sorted(chosen))] += generator.random()
    total = sum(sets.values())
    return [{"experts": list(s), "probability": p / total} for s, p in sorted(sets.items())]


def random_problem(generator):
    size = generator.choice([1, 2, 4])
    models = []
    for number in range(generator.choice([1, 1, 1, 2])):
        models.append({
            "name": f"m{number}", "layers": generator.randint(2, 3),
            "experts": generator.randint(max(4, size), 8), "expertBytes": generator.choice([10, 10, 15]),
        })
    largest = max(model["expertBytes"] for model in models)
    servers = []
    roomy = generator.random() < 0.6
    for number in range(generator.randint(2, 4)):
        least = size if roomy else 1
        slots = generator.randint(least, least + generator.randint(1, 6))
        servers.append(
            {"name": f"s{number}", "storageBytes": slots * largest + generator.randint(0, 9)})
    users, activations = [], []
    for number in range(generator.randint(1, 5)):
        model = generator.choice(models)
        local = [
            [layer, expert] for layer in range(model["layers"]) for expert in range(model["experts"])
            if generator.random() < 0.1
        ]
        near = {s["name"]: generator.uniform(0.01, 0.1) for s in servers if generator.random() < 0.9}
        users.append({
            "name": f"u{number}", "weight": generator.uniform(0.1, 1), "model": model["name"],
            "local": local, "localSeconds": generator.uniform(0.001, 0.02), "serverSeconds": near,
            "cloudSeconds": generator.uniform(0.08, 0.3),
        })
        for layer in range(model["layers"]):
            order = list(range(model["experts"]))
            generator.shuffle(order)
            sets = random_sets(
                generator, model["experts"], size, generator.randint(2, 8), generator.uniform(0, 1.5))
            for item in sets:
                item["experts"] = sorted(order[e] for e in item["experts"])
            activations.append({"user": f"u{number}", "layer": layer, "sets": sets})
    return {"models": models, "servers": servers, "users": users, "activations": activations}, size


def places(problem, user):
    """Names and seconds of the places other than servers, by expert."""
    local = {tuple(place) for place in user["local"]}
    return lambda layer, expert: (
        min(user["localSeconds"], user["cloudSeconds"]) if (layer, expert) in local
        else user["cloudSeconds"])


def evaluate(problem, placement):
    """Seconds per token, straight from the definition."""
    users = {user["name"]: user for user in problem["users"]}
    total = sum(user["weight"] for user in problem["users"])
    stored = {name: {tuple(item) for item in items} for name, items in placement.items()}
    seconds = 0.0
    for activation in problem["activations"]:
        user = users[activation["user"]]
        fallback = places(problem, user)
        for item in activation["sets"]:
            slowest = max(
                min([fallback(activation["layer"], expert)] + [
                    d for name, d in user["serverSeconds"].items()
                    if (user["model"], activation["layer"], expert) in stored.get(name, ())])
                for expert in item["experts"])
            seconds += user["weight"] / total * item["probability"] * slowest
    return seconds


def optimum(problem):
    """The least seconds per token, by HiGHS."""
    users = {user["name"]: user for user in problem["users"]}
    total = sum(user["weight"] for user in problem["users"])
    cost, integral, upper = [], [], []
    rows, columns, values, lows, highs = [], [], [], [], []

    def variable(weight=0.0, binary=False, bound=1.0):
        cost.append(weight)
        integral.append(int(binary))
        upper.append(bound)
        return len(cost) - 1

    def constraint(terms, low, high):
        for column, value in terms:
            rows.append(len(lows))
            columns.append(column)
            values.append(value)
        lows.append(low)
        highs.append(high)

    x, y = {}, {}
    bytes_of = {model["name"]: model["expertBytes"] for model in problem["models"]}
    for activation in problem["activations"]:
        user = users[activation["user"]]
        fallback = places(problem, user)
        for item in activation["sets"]:
            time = variable(user["weight"] / total * item["probability"], bound=numpy.inf)
            for expert in item["experts"]:
                key = (user["name"], activation["layer"], expert)
                if key not in y:
                    rest = variable()
                    terms = [(rest, fallback(activation["layer"], expert))]
                    for name, seconds in user["serverSeconds"].items():
                        spot = (name, user["model"], activation["layer"], expert)
                        if spot not in x:
                            x[spot] = variable(binary=True)
                        share = variable()
                        constraint([(share, 1), (x[spot], -1)], -numpy.inf, 0)
                        terms.append((share, seconds))
                    constraint([(column, 1) for column, _ in terms], 1, 1)
                    y[key] = terms
                constraint([(time, 1)] + [(c, -d) for c, d in y[key]], 0, numpy.inf)
    for server in problem["servers"]:
        terms = [(c, bytes_of[spot[1]]) for spot, c in x.items() if spot[0] == server["name"]]
        if terms:
            constraint(terms, 0, server["storageBytes"])
    matrix = coo_matrix((values, (rows, columns)), shape=(len(lows), len(cost))).tocsr()
    answer = milp(
        cost, integrality=integral, bounds=Bounds(0, upper),
        constraints=LinearConstraint(matrix, lows, highs),
        options={"mip_rel_gap": 1e-9, "time_limit": 60})
    if answer.status != 0:
        return None
    return answer.fun


def plan(martlet, path, algorithm):
    command = [martlet, "plan", "caching", "--problem", path, "--algorithm", algorithm, "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def check(problem, answer, label):
    """The command's own figures against the script's."""
    seconds = evaluate(problem, answer["placement"])
    if abs(seconds - answer["secondsPerToken"]) > 1e-9:
        sys.exit(f"{label}: {answer['secondsPerToken']} s per token is {seconds}")
    saved = evaluate(problem, {}) - seconds
    if abs(saved - answer["savedSecondsPerToken"]) > 1e-9 or saved < -1e-12:
        sys.exit(f"{label}: {answer['savedSecondsPerToken']} s saved is {saved}")
    size = {model["name"]: model["expertBytes"] for model in problem["models"]}
    for server in problem["servers"]:
        used = sum(size[model] for model, _, _ in answer["placement"][server["name"]])
        if used != answer["bytes"][server["name"]] or used > server["storageBytes"]:
            sys.exit(f"{label}: {server['name']} stores {used} bytes")
    return saved


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("martlet")
    parser.add_argument("--problems", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--algorithms", default=",".join(ALGORITHMS))
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    algorithms = options.algorithms.split(",")
    shares = defaultdict(list)
    solved = number = unsolved = 0
    with tempfile.TemporaryDirectory() as folder:
        while solved < options.problems:
            generator = random.Random(options.seed * 1_000_003 + number)
            number += 1
            problem, size = random_problem(generator)
            least = optimum(problem)
            if least is None:
                unsolved += 1
                continue
            most = evaluate(problem, {}) - least
            if most < 1e-9:
                continue
            solved += 1
            path = f"{folder}/problem.json"
            with open(path, "w") as file:
                json.dump(problem, file)
            roomy = all(
                server["storageBytes"] >= size * max(m["expertBytes"] for m in problem["models"])
                for server in problem["servers"])
            for algorithm in algorithms:
                label = f"seed {options.seed}, problem {number - 1}, {algorithm}"
                saved = check(problem, plan(options.martlet, path, algorithm), label)
                if saved > most * (1 + 1e-6) + 1e-12:
                    sys.exit(f"{label}: saves {saved}, the optimum is {most}")
                shares[algorithm, roomy].append(saved / most)
                if options.verbose and algorithm == "best" and saved / most < 0.99:
                    print(f"{label} K={size} roomy={roomy}: {saved / most:.4f}")
    print("share of the optimal saving       room for K everywhere      elsewhere")
    print("                                   mean   worst  problems    mean   worst  problems")
    for algorithm in algorithms:
        cells = []
        for roomy in [True, False]:
            part = shares[algorithm, roomy] or [float("nan")]
            cells.append(f"{numpy.mean(part):.4f} {min(part):7.4f} {len(part):7}")
        print(f"{algorithm:32}  {cells[0]}    {cells[1]}")
    if unsolved:
        print(f"{unsolved} problems not solved by HiGHS in time, left out")
    best, rest = shares["best", True], shares["best", False]
    good = not best or (numpy.mean(best) >= 0.99 and min(best) >= 0.95)
    good = good and (not rest or numpy.mean(rest) >= 0.9)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
