"""lm_eval's local-completions against `martlet logits`. Usage: lm_eval_client.py MARTLET MODEL

A local task of given continuations: the harness's log-likelihoods and those from the logits of the
same ids are the same to 1e-3.
"""
import json
import os
import struct
import subprocess
import sys
import tempfile
import urllib.request

os.environ.update(HF_DATASETS_OFFLINE="1", HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")

import lm_eval  # noqa: E402
import math  # noqa: E402

from served import check, serving  # noqa: E402

DOCUMENTS = [
    ("Once upon a time", " there was a king"), ("Once upon a time", " there was a purple engine"),
    ("It was the best of times,", " it was the worst of times"),
    ("The old man looked at the sea", " and said nothing."), ("“Oh!” said the", " Mouse."),
    ("She opened the door and", " saw her brother standing in the hall with a letter in his hand"),
    ("The number is", " 42"), ("Ein", " Haus am See"),
]


def tokens(server, text):
    body = json.dumps({"prompt": text, "add_special_tokens": False}).encode()
    request = urllib.request.Request(
        server.url + "/tokenize", body, {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request))["tokens"]


def harness(server, folder):
    """The harness's log-likelihood of each document's continuation, and whether it is greedy."""
    path = os.path.join(folder, "documents.jsonl")
    with open(path, "w") as file:
        for context, continuation in DOCUMENTS:
            file.write(json.dumps({"context": context, "continuation": continuation}) + "\n")
    task = {
        "task": "martlet_continuations", "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": path}, "cache_dir": folder},
        "output_type": "loglikelihood", "test_split": "test", "target_delimiter": "",
        "doc_to_text": "{{context}}", "doc_to_target": "{{continuation}}",
        "metric_list": [{"metric": "acc"}],
    }
    result = lm_eval.simple_evaluate(
        model="local-completions", tasks=[task], log_samples=True, bootstrap_iters=0,
        model_args={"base_url": server.url + "/v1/completions", "model": "demo-mixtral-q8_0",
                    "tokenizer_backend": "remote", "num_concurrent": 4, "max_retries": 1})
    samples = sorted(result["samples"]["martlet_continuations"], key=lambda one: one["doc_id"])
    return [sample["filtered_resps"][0] for sample in samples]


def reference(martlet, model, ids, start, folder):
    """The same from the logits of all positions."""
    files = [os.path.join(folder, name) for name in ("ids.json", "logits.f32")]
    with open(files[0], "w") as file:
        json.dump(ids, file)
    subprocess.run([martlet, "logits", "--model", model, "--ids", files[0], "--output", files[1]],
                   check=True, capture_output=True)
    with open(files[1], "rb") as file:
        data = file.read()
    values = struct.unpack(f"<{len(data) // 4}f", data)
    size = len(values) // len(ids)
    total, greedy = 0.0, True
    for position in range(start, len(ids)):
        row = values[(position - 1) * size:position * size]
        most = max(row)
        total += row[ids[position]] - most - math.log(sum(math.exp(x - most) for x in row))
        greedy = greedy and row[ids[position]] == most
    return total, greedy


def main():
    martlet, model = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as folder:
        with serving(martlet, model) as server:
            answers = harness(server, folder)
            ids = [(tokens(server, context + continuation), len(tokens(server, context)))
                   for context, continuation in DOCUMENTS]
        worst = 0.0
        for (sequence, start), (likelihood, greedy) in zip(ids, answers):
            expected, is_greedy = reference(martlet, model, sequence, start, folder)
            worst = max(worst, abs(expected - float(likelihood)))
            check(is_greedy == bool(greedy), f"{expected:9.4f}: greedy or not, as the logits say")
        check(worst < 1e-3, f"log-likelihoods differ by at most {worst:.1e}")


main()
