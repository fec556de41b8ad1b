#!/usr/bin/env python3
"""Mean layer latency and model latency per policy and text over the reference cell.

    make experiment-latency [MODEL=model.gguf] [DATA=folder of .txt] [WINDOWS=20]

Model latency is the mean layer's times the scenario's layers; dense layers are not in it.
"""
from simulation import LAYERS_PER_NAT, MINMAX, Experiment, pyplot, save


def main():
    experiment = Experiment(__doc__)
    base = experiment.run(experiment.scenario, experiment.policies(1)["top-2, min-max"])
    policies = experiment.policies(LAYERS_PER_NAT * base["layer_seconds"])
    policies["wdmoe 0.6"] = ["--policy", "wdmoe", "--alpha", "0.6"] + MINMAX
    policies["testbed 0.2"] = ["--policy", "testbed", "--max-weight", "0.2"] + MINMAX
    policies["random 0.2"] = ["--policy", "random", "--threshold", "0.2"] + MINMAX
    policies["top-1"] = ["--policy", "top1"] + MINMAX
    rows = []
    for name, choices in policies.items():
        result = experiment.run(experiment.scenario, choices)
        for number, text in enumerate(experiment.texts):
            rows.append({
                "policy": name, "text": text.stem,
                "layer_seconds": result["text_seconds"][number],
                "model_seconds": result["model_seconds"][number],
                "perplexity": result["perplexity"][number],
                "perplexity_change":
                    result["perplexity"][number] / base["perplexity"][number] - 1,
            })
        print(f"{name:16} layer {1e3 * result['layer_seconds']:.1f} ms", flush=True)
    path = experiment.write("latency", rows)
    figure, axis = pyplot().subplots(figsize=(11, 5))
    texts = [text.stem for text in experiment.texts]
    width = 0.8 / len(policies)
    for number, name in enumerate(policies):
        values = [row["layer_seconds"] for row in rows if row["policy"] == name]
        places = [place + width * number for place in range(len(texts))]
        axis.bar(places, [1e3 * value for value in values], width, label=name)
    axis.set_xticks([place + 0.4 for place in range(len(texts))], texts)
    axis.set_ylabel("layer latency, ms")
    layers = rows[0]["model_seconds"] / rows[0]["layer_seconds"]
    axis.secondary_yaxis(
        "right", functions=(lambda ms: ms * layers / 1e3, lambda s: s * 1e3 / layers)
    ).set_ylabel("model latency, s")
    axis.legend(fontsize=7)
    save(figure, path)


if __name__ == "__main__":
    main()
