"""Runs martlet and llama.cpp in turn on the same files; prints medians and paired ratios.

Called by compare-llama.sh, which builds both. Each figure is the median over repetitions; a ratio is
the median of the ratios of neighbouring runs, so that a machine whose speed drifts falsifies it
little.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SHIPPED = HERE.parent / "Models" / "demo-mixtral-q8_0.gguf"
LOADS = ("mapped", "huge-pages")
TOKENIZER = HERE.parent / "Tests" / "Fixtures" / "tokenizers" / "qwen2" / "tokenizer.json"


def output(command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Runner:
    """How the two programs are asked for tokens per second."""

    def __init__(self, options):
        self.martlet = options.martlet
        self.llama = pathlib.Path(options.llama)

    def ours(self, model, threads, prompt=0, generate=0, batch=1, load="mapped"):
        command = [self.martlet, "bench", "--model", model, "--threads", threads, "--json"]
        command += ["--load", load]
        command += ["--prompt", prompt, "--generate", generate, "--repetitions", 1]
        command += ["--batch", batch]
        report = json.loads(output([str(part) for part in command]))
        return report["generate" if generate else "prompt"]["tokensPerSecond"]

    def theirs(self, model, threads, prompt=0, generate=0, batch=1, load=None):
        if batch > 1:
            return self.theirs_batched(model, threads, generate, batch)
        command = [self.llama / "llama-bench", "-m", model, "-t", threads, "-r", 1]
        command += ["-p", prompt, "-n", generate, "-o", "json"]
        return json.loads(output([str(part) for part in command]))[0]["avg_ts"]

    def theirs_batched(self, model, threads, generate, batch):
        command = [self.llama / "llama-batched-bench", "-m", model, "-t", threads, "-c", 4096]
        command += ["-npp", 16, "-ntg", generate, "-npl", batch, "--output-format", "jsonl"]
        text = output([str(part) for part in command])
        report = next(json.loads(line) for line in text.splitlines() if line.startswith("{"))
        return report["speed_tg"]

    def compare(self, repetitions, **work):
        pairs = []
        for _ in range(repetitions):
            ours = self.ours(**work)
            pairs.append((ours, self.theirs(**work)))
        median = statistics.median
        return (
            median(ours for ours, _ in pairs),
            median(theirs for _, theirs in pairs),
            median(ours / theirs for ours, theirs in pairs),
        )


def model(folder, shape, quant):
    path = folder / f"{shape}-{quant}.gguf"
    if not path.exists():
        print(f"compare: writing {path}", file=sys.stderr)
        folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        subprocess.run(
            [sys.executable, HERE / "random_gguf.py", "--shape", shape, "--quant", quant,
             "--tokenizer", TOKENIZER, partial], check=True)
        partial.rename(path)
    return path


def works(options):
    """What is timed: a name, and the arguments of a run."""
    for shape in options.shapes.split(","):
        for quant in options.quants.split(","):
            path = model(pathlib.Path(options.models), shape, quant)
            for threads in map(int, options.threads.split(",")):
                base = {"model": path, "threads": threads}
                name = f"{shape} {quant}, {threads} thread{'s' if threads > 1 else ''}"
                for load in LOADS:
                    yield f"decode, {name}, {load}", {**base, "generate": 32, "load": load}
                for prompt in map(int, options.prompts.split(",")):
                    yield f"prefill of {prompt}, {name}, huge-pages", {
                        **base, "prompt": prompt, "load": "huge-pages"}
                if shape == "small":
                    yield f"decode of 8 sequences, {name}, huge-pages", {
                        **base, "generate": 16, "batch": 8, "load": "huge-pages"}
    for threads in map(int, options.threads.split(",")):
        name = f"shipped model, {threads} thread{'s' if threads > 1 else ''}"
        for load in LOADS:
            yield f"decode, {name}, {load}", {
                "model": SHIPPED, "threads": threads, "generate": 128, "load": load}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--martlet", required=True)
    parser.add_argument("--llama", required=True, help="folder of llama.cpp's programs")
    parser.add_argument("--models", required=True, help="folder of model files")
    parser.add_argument("--shapes", default="small,olmoe-1b-7b")
    parser.add_argument("--quants", default="q8_0,q4_0,q4_k")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--prompts", default="256,512")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--markdown", help="also write the table there")
    options = parser.parse_args()
    runner = Runner(options)
    lines = ["| work | martlet, tokens/s | llama.cpp, tokens/s | ratio |",
             "| --- | --: | --: | --: |"]
    print("\n".join(lines), flush=True)
    for name, work in works(options):
        ours, theirs, ratio = runner.compare(options.repetitions, **work)
        lines.append(f"| {name} | {ours:.1f} | {theirs:.1f} | {ratio:.2f} |")
        print(lines[-1], flush=True)
    if options.markdown:
        pathlib.Path(options.markdown).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
