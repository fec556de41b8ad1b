"""Plans and problems that must be refused, each with its entry named. Usage: bad_plans.py MARTLET MODEL

Every case is a good file with one thing wrong. `plan caching` refuses problems, `--start` placements,
`plan deploy` devices; `generate --plan` refuses plans. A running server that is told to read a bad plan
again says so and goes on with the old one.
"""
import copy
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

from served import check, serving

PROBLEM = {
    "models": [{"name": "m", "layers": 2, "experts": 4, "expertBytes": 10}],
    "servers": [{"name": "s", "storageBytes": 20}, {"name": "t", "storageBytes": 20}],
    "users": [{"name": "u", "weight": 1, "model": "m", "local": [[0, 1]], "localSeconds": 0.001,
               "serverSeconds": {"s": 0.01, "t": 0.02}, "cloudSeconds": 0.1}],
    "activations": [
        {"user": "u", "layer": 0, "sets": [{"experts": [0, 1], "probability": 0.5},
                                           {"experts": [2, 3], "probability": 0.5}]},
        {"user": "u", "layer": 1, "sets": [{"experts": [1, 2], "probability": 1}]}],
}
START = {"placement": {"s": [["m", 0, 0], ["m", 0, 1]], "t": []}}
DEVICES = {"devices": [{"name": "a", "memoryBytes": 10 ** 9, "messageSeconds": 0.003,
                        "visitSeconds": 0.001}]}


def edited(good, path, value):
    """A copy in which the entry at the path is another; None takes it out."""
    bad = copy.deepcopy(good)
    *way, last = path
    place = bad
    for step in way:
        place = place[step]
    if value is None:
        del place[last]
    elif isinstance(place, list) and last == len(place):
        place.append(value)
    else:
        place[last] = value
    return bad


#        what is wrong, where, with what, what the refusal must name
PROBLEMS = [
    ("unknown server", ["users", 0, "serverSeconds", "x"], 0.1, "users[0].serverSeconds.x"),
    ("unknown model", ["users", 0, "model"], "x", "users[0].model"),
    ("unknown user", ["activations", 1, "user"], "x", "activations[1].user"),
    ("server twice", ["servers", 1, "name"], "s", "servers[1].name"),
    ("user twice", ["users", 1], PROBLEM["users"][0], "users[1].name"),
    ("missing server name", ["servers", 0, "name"], None, "servers[0].name"),
    ("negative storage", ["servers", 0, "storageBytes"], -1, "servers[0].storageBytes"),
    ("storage of part of a byte", ["servers", 0, "storageBytes"], 1.5, "servers[0].storageBytes"),
    ("missing expert in a set", ["activations", 0, "sets", 0, "experts", 1], 4,
     "activations[0].sets[0].experts[1]"),
    ("missing local expert", ["users", 0, "local", 0], [0, 4], "users[0].local[0][1]"),
    ("missing layer", ["activations", 0, "layer"], 2, "activations[0].layer"),
    ("expert twice in a set", ["activations", 0, "sets", 0, "experts"], [1, 1],
     "activations[0].sets[0].experts"),
    ("local expert twice", ["users", 0, "local", 1], [0, 1], "users[0].local[1]"),
    ("negative probability", ["activations", 0, "sets", 0, "probability"], -0.1,
     "activations[0].sets[0].probability"),
    ("probability over 1", ["activations", 0, "sets", 0, "probability"], 1.1,
     "activations[0].sets[0].probability"),
    ("no probability", ["activations", 0, "sets", 0, "probability"], None,
     "activations[0].sets[0].probability"),
    ("set of the wrong size", ["activations", 1, "sets", 0, "experts"], [1, 2, 3],
     "activations[1].sets[0].experts"),
    ("empty set", ["activations", 1, "sets", 0, "experts"], [], "activations[1].sets[0].experts"),
    ("negative time", ["users", 0, "serverSeconds", "s"], -0.1, "users[0].serverSeconds.s"),
    ("negative weight", ["users", 0, "weight"], -1, "users[0].weight"),
    ("no cloud", ["users", 0, "cloudSeconds"], None, "users[0].cloudSeconds"),
    ("no bytes", ["models", 0, "expertBytes"], 0, "models[0].expertBytes"),
    ("unknown member", ["servers", 0, "storage"], 1, 'servers[0]."storage"'),
    ("no servers member", ["servers"], None, "servers"),
]
STARTS = [
    ("unknown server", ["placement", "x"], [], "placement.x"),
    ("over capacity", ["placement", "s", 2], ["m", 0, 2], "placement.s"),
    ("unknown model", ["placement", "s", 0], ["x", 0, 0], "placement.s[0][0]"),
    ("missing expert", ["placement", "s", 0], ["m", 0, 4], "placement.s[0][2]"),
    ("missing layer", ["placement", "s", 0], ["m", 2, 0], "placement.s[0][1]"),
    ("expert twice", ["placement", "s", 1], ["m", 0, 0], "placement.s[1]"),
    ("entry too short", ["placement", "s", 0], ["m", 0], "placement.s[0]"),
]
DEVICE_FILES = [
    ("device twice", ["devices", 1], DEVICES["devices"][0], "devices[1].name"),
    ("negative memory", ["devices", 0, "memoryBytes"], -1, "devices[0].memoryBytes"),
    ("negative time", ["devices", 0, "visitSeconds"], -0.1, "devices[0].visitSeconds"),
    ("no time", ["devices", 0, "messageSeconds"], None, "devices[0].messageSeconds"),
    ("no device", ["devices"], [], "devices"),
]


def plans(good):
    """Cases of the plan file that `plan deploy` wrote."""
    memory = good["devices"][0]["memoryBytes"]
    return [
        ("device twice", ["devices", 1], good["devices"][0], "devices[1].name"),
        ("over capacity", ["devices", 0, "memoryBytes"], good["devices"][0]["bytes"] - 1,
         "devices[0].experts"),
        ("missing expert", ["devices", 0, "experts", 0], [0, 1000], "devices[0].experts[0][1]"),
        ("missing layer", ["devices", 0, "experts", 0], [1000, 0], "devices[0].experts[0][0]"),
        ("expert twice", ["devices", 0, "experts", 1], good["devices"][0]["experts"][0],
         "devices[0].experts[1]"),
        ("entry too long", ["devices", 0, "experts", 0], [0, 0, 0], "devices[0].experts[0]"),
        ("at the base station too", ["resident"], [good["devices"][0]["experts"][0]],
         "devices[0].experts[0]"),
        ("missing resident", ["resident"], [[0, -1]], "resident[0][1]"),
        ("wrong bytes", ["devices", 0, "bytes"], memory + 1, "devices[0].bytes"),
        ("wrong resident bytes", ["residentBytes"], 1, "residentBytes"),
        ("negative recent bytes", ["recentBytes"], -1, "recentBytes"),
        ("recent bytes as text", ["recentBytes"], "2GiB", "recentBytes"),
        ("negative memory", ["devices", 0, "memoryBytes"], -1, "devices[0].memoryBytes"),
        ("no name", ["devices", 0, "name"], None, "devices[0].name"),
        ("another model", ["model", "experts"], good["model"]["experts"] + 1, "model"),
        ("another version", ["martletPlan"], 2, "martletPlan"),
        ("negative forecast", ["foreseen", "framesPerToken"], -1, "foreseen.framesPerToken"),
        ("unknown member", ["devices", 0, "weight"], 1, 'devices[0]."weight"'),
    ]


class Cases:
    def __init__(self, martlet, folder):
        self.martlet, self.folder = martlet, folder

    def write(self, name, value):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(value if isinstance(value, str) else json.dumps(value))
        return path

    def run(self, *arguments):
        return subprocess.run([self.martlet, *arguments], capture_output=True, text=True, timeout=120)

    def refuse(self, kind, good, cases, arguments):
        """Each case is refused in one line that names the file and the entry."""
        taken = self.run(*arguments(self.write("good.json", good)))
        check(taken.returncode == 0, f"{kind}: the good file is taken {taken.stderr}")
        wrong = []
        for what, path, value, entry in cases:
            file = self.write("bad.json", edited(good, path, value))
            done = self.run(*arguments(file))
            lines = [line for line in done.stderr.splitlines() if file in line]
            said = lines[0].removeprefix("Error: ").removeprefix(file + ": ") if lines else done.stderr
            print(f"    {what:32} {said}")
            if done.returncode == 0 or len(lines) != 1 or not said.startswith(entry):
                wrong.append(what)
        check(not wrong, f"{kind}: {len(cases)} bad files are refused, their entry named {wrong}")


def keeps_serving(martlet, model, cases, good, bad):
    """On SIGHUP a bad plan is refused; answers go on as before."""
    plan = cases.write("plan.json", good)
    with serving(martlet, model, "--plan", plan, devices=True) as server:
        server.device(good["devices"][0]["name"])
        body = json.dumps({"prompt": "Once", "max_tokens": 8, "temperature": 0}).encode()

        def answer():
            request = urllib.request.Request(server.url + "/v1/completions", body)
            return json.load(urllib.request.urlopen(request))["choices"][0]["text"]

        before = answer()
        cases.write("plan.json", bad)
        server.process.send_signal(signal.SIGHUP)
        told = server.wait_for("the old plan stays: ")
        check("devices[0].experts" in told, f"the server keeps its plan: {told}")
        time.sleep(0.5)
        check(answer() == before, "and answers as before")


def main():
    martlet, model = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as folder:
        cases = Cases(martlet, folder)
        cases.refuse("problems", PROBLEM, PROBLEMS, lambda file: ["plan", "caching", "--problem", file])
        problem = cases.write("problem.json", PROBLEM)
        cases.refuse("starts", START, STARTS, lambda file: [
            "plan", "caching", "--problem", problem, "--start", file])
        text = cases.write("text.txt", "It was a cold evening, and the old man went home. " * 40)
        profile = os.path.join(folder, "p.db")
        done = cases.run("calibrate", "--model", model, "--file", text, "--windows", "1", "--output", profile)
        check(done.returncode == 0, f"the model is calibrated {done.stderr}")
        plan = os.path.join(folder, "written.json")
        cases.refuse("devices", DEVICES, DEVICE_FILES, lambda file: [
            "plan", "deploy", "--model", model, "--profile", profile, "--devices", file,
            "--output", plan])
        with open(plan) as file:
            good = json.load(file)
        # It may be left out, and would be wrong where what is resident is edited.
        del good["residentBytes"]
        # A listener without devices would wait; what is refused is refused before.
        cases.refuse("plans", good, plans(good), lambda file: [
            "generate", "--model", model, "--prompt", "Once", "--max-tokens", "1",
            "--local-devices", "1", "--plan", file])
        over = edited(good, ["devices", 0, "memoryBytes"], good["devices"][0]["bytes"] - 1)
        keeps_serving(martlet, model, cases, good, over)


main()
