"""Eight streaming clients against martlet and llama-server in turn, on the same file.

Usage: compare_llama.py MARTLET LLAMA_SERVER MODEL [ROUNDS] [THREADS]
"""
import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import time
import urllib.request

from served import check, serving

CLIENTS, TOKENS, TURNS = 8, 96, 4
LLAMA_PORT = 18099


@contextlib.contextmanager
def llama(program, model, threads):
    # A slot for each client with room for the prompt and the answer, and nothing else changed.
    process = subprocess.Popen(
        [program, "-m", model, "--host", "127.0.0.1", "--port", str(LLAMA_PORT), "-np", str(CLIENTS),
         "-c", str(CLIENTS * 512), "-t", threads, "--no-webui"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{LLAMA_PORT}"
        for _ in range(300):
            try:
                urllib.request.urlopen(url + "/health")
                break
            except OSError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(20)


async def stream(url, prompt):
    """Seconds to the first token, and tokens by the server's own count."""
    host, port = url.removeprefix("http://").split(":")
    body = json.dumps({
        "prompt": prompt, "max_tokens": TOKENS, "stream": True, "temperature": 0,
        "stream_options": {"include_usage": True}}).encode()
    start = time.monotonic()
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                 b"Content-Type: application/json\r\nContent-Length: "
                 + str(len(body)).encode() + b"\r\n\r\n" + body)
    first, count = None, 0
    async for line in reader:
        if not line.startswith(b"data: {"):
            continue
        chunk = json.loads(line[6:])
        if chunk.get("choices") and chunk["choices"][0].get("finish_reason") is None and first is None:
            first = time.monotonic() - start
        if chunk.get("usage"):
            count = chunk["usage"]["completion_tokens"]
    writer.close()
    return first, count


def prompt(client, turn):
    """About 60 tokens, the beginning never the same."""
    return (f"Letter {client}.{turn}. My dear sister, it was a cold evening when we came to the house by "
            "the sea, and the old man who keeps the light told us of the storm. The boat was late, the "
            "captain said little, and nobody knew where the children were. I must tell you what then")


async def clients(url):
    results = []

    async def one(client):
        for turn in range(TURNS):
            results.append(await stream(url, prompt(client, turn)))

    start = time.monotonic()
    await asyncio.gather(*(one(client) for client in range(CLIENTS)))
    seconds = time.monotonic() - start
    return (sum(count for _, count in results) / seconds,
            statistics.median(first for first, _ in results), sum(count for _, count in results))


def measure(url):
    asyncio.run(stream(url, "warm up"))
    return asyncio.run(clients(url))


def main():
    martlet, program, model = sys.argv[1:4]
    rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 3
    threads = sys.argv[5] if len(sys.argv) > 5 else "2"
    ours, theirs = [], []
    for number in range(rounds):
        with serving(martlet, model, "--log-level", "error", "--threads", threads) as server:
            ours.append(measure(server.url))
        with llama(program, model, threads) as url:
            theirs.append(measure(url))
        for name, (rate, first, count) in [("martlet", ours[-1]), ("llama-server", theirs[-1])]:
            print(f"round {number + 1}, {name}: {rate:.0f} tokens/s, first token {first * 1e3:.1f} ms, "
                  f"{count} tokens", flush=True)
    rate = statistics.median(one[0] for one in ours) / statistics.median(one[0] for one in theirs)
    first = statistics.median(one[1] for one in ours) / statistics.median(one[1] for one in theirs)
    print(f"martlet / llama-server, medians of {rounds} rounds: tokens/s {rate:.2f}, first token {first:.2f}")
    check(rate >= 1.5, "at least 1.5 times the tokens per second")
    check(first <= 0.7, "at most 0.7 of the time to the first token")


main()
