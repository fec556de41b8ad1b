#!/usr/bin/env python3
"""How far the priced policy is from the best any choice of experts could do.

    make experiment-bound [MODEL=model.gguf] [DATA=folder of .txt] [WINDOWS=2]

For every layer a Lagrangian relaxation, which may split tokens, bounds the layer time of any choice of the
same estimated loss. The loss is the calibrated quality model's, not the text's. Steps of one, eight and
256 rows, each with a channel draw of its own; decoding runs the first window of all texts.
"""
import statistics
import json
import subprocess

from simulation import LAYERS_PER_NAT, MINMAX, Experiment


def simulate(experiment, text, number, choices, windows):
    command = [
        experiment.options.martlet, "simulate", experiment.options.scenario, "--model",
        experiment.options.model, "--file", str(text), "--windows", str(windows),
        "--seed", str(2026 + number), "--json"]
    done = subprocess.run(command + choices, check=True, capture_output=True)
    return json.loads(done.stdout)


def main():
    experiment = Experiment(__doc__, windows=2)
    rows = []
    for label, extra, windows in (
            ("prefill of 256", [], experiment.options.windows),
            ("8 rows", ["--decode", "8"], 8),
            ("1 row", ["--decode", "1"], 1)):
        numbered = list(enumerate(experiment.texts))
        top = statistics.fmean(
            simulate(experiment, text, number, ["--policy", "topk"] + MINMAX + extra, windows)
            ["layerSeconds"] for number, text in numbered)
        for scale in (0.5, 1, 2):
            priced = ["--policy", "priced", "--no-substitution", "--profile", experiment.profile,
                      "--seconds-per-loss", f"{scale * LAYERS_PER_NAT * top}", "--bound"]
            results = [simulate(experiment, text, number, priced + MINMAX + extra, windows)
                       for number, text in numbered]
            seconds = statistics.fmean(result["layerSeconds"] for result in results)
            above = statistics.fmean(result["secondsAboveBound"] for result in results)
            rows.append({
                "step": label, "layers_per_nat": scale * LAYERS_PER_NAT,
                "top2_minmax_seconds": top, "priced_seconds": seconds, "above_bound": above,
                "above_bound_share": above / seconds,
            })
            print(f"{label:16} {scale * LAYERS_PER_NAT:5.0f} layers per nat: top-2 "
                  f"{1e3 * top:.3f} ms, priced {1e3 * seconds:.3f} ms, at most "
                  f"{above / seconds:.2%} above the best", flush=True)
    experiment.write("bound", rows)


if __name__ == "__main__":
    main()
