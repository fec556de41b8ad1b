"""Many clients at once. Usage: load.py MARTLET MODEL [SECONDS]"""
import asyncio
import json
import random
import statistics
import sys
import time

from served import check, serving

CLIENTS = 64
LEAVERS = 1000


class Client:
    """Streams of chat completions over raw sockets, so that the checker costs little."""

    def __init__(self, server):
        self.host, port = server.url.removeprefix("http://").split(":")
        self.port = int(port)

    async def stream(self, prompt, tokens, leave_after=None, seed=0):
        """Times of the request and of each token. Leaves after so many bytes, if asked to."""
        body = json.dumps({"prompt": prompt, "max_tokens": tokens, "stream": True, "seed": seed}).encode()
        start = time.monotonic()
        reader, writer = await asyncio.open_connection(self.host, self.port)
        times = []
        try:
            writer.write(b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\n"
                         b"Content-Type: application/json\r\nContent-Length: "
                         + str(len(body)).encode() + b"\r\n\r\n" + body)
            if leave_after is not None:
                await asyncio.wait_for(self.leave(reader, leave_after), 60)
                return start, times
            status = await reader.readline()
            if b" 200 " not in status:
                raise RuntimeError(status.decode())
            ended = False
            async for line in reader:
                if line.startswith(b"data: [DONE]"):
                    ended = True
                elif line.startswith(b"data: ") and b'"finish_reason":null' in line:
                    times.append(time.monotonic())
                elif line.startswith(b'data: {"error"'):
                    raise RuntimeError(line.decode())
            if not ended:
                raise RuntimeError("a stream ended without [DONE]")
            return start, times
        finally:
            writer.transport.abort() if leave_after is not None else writer.close()

    @staticmethod
    async def leave(reader, after):
        while after > 0:
            data = await reader.read(min(after, 4096))
            if not data:
                return
            after -= len(data)


async def steady(server, seconds):
    """So many streams side by side for so long; tokens by client, and memory over time."""
    client = Client(server)
    tokens = [0] * CLIENTS
    first = []
    memory = []
    end = time.monotonic() + seconds

    async def one(index):
        round = 0
        while time.monotonic() < end:
            prompt = f"Story {index}, part {round}: once upon a time"
            start, times = await client.stream(prompt, 64, seed=index * 1000 + round)
            first.append(times[0] - start)
            tokens[index] += sum(1 for at in times if at <= end)
            round += 1

    async def watch():
        while time.monotonic() < end:
            memory.append(server.resident_mebibytes())
            await asyncio.sleep(1)

    await asyncio.gather(watch(), *(one(index) for index in range(CLIENTS)))
    mean = statistics.mean(tokens)
    third = len(memory) // 3
    early, late = statistics.mean(memory[third:2 * third]), statistics.mean(memory[2 * third:])
    print(f"{CLIENTS} clients, {seconds} s: {sum(tokens) / seconds:.0f} tokens/s, first token "
          f"{statistics.median(first) * 1e3:.0f} ms (median), slowest client {min(tokens) / mean:.2f} "
          f"of the mean, memory {memory[0]:.0f}, {early:.0f}, {late:.0f} MiB (start, middle, last third)")
    check(min(tokens) >= mean / 2, "the slowest client has at least half the mean")
    check(late <= early * 1.05 + 8, "memory is flat")


def held(server):
    values = server.metrics()
    return {
        "KV pages": values["martlet_kv_cache_pages"], "running": values["martlet_requests_running"],
        "waiting": values["martlet_requests_waiting"], "descriptors": server.descriptors(),
        "threads": server.threads(),
    }


async def leaving(server):
    """Clients that go away at random points leave nothing behind."""
    client = Client(server)
    generator = random.Random(1)
    # Short prompts, so that no page is kept for reuse and the pages show what is held.
    before = held(server)
    gate = asyncio.Semaphore(100)

    async def one(index):
        async with gate:
            await client.stream(f"Story {index}", 50, leave_after=generator.randrange(0, 9000))

    await asyncio.gather(*(one(index) for index in range(LEAVERS)))
    after = None
    for _ in range(100):
        after = held(server)
        if all(after[name] <= before[name] for name in before):
            break
        await asyncio.sleep(0.1)
    print(f"{LEAVERS} clients that went away: before {before}, after {after}")
    check(all(after[name] <= before[name] for name in before), "nothing is held for those who left")


async def scaling(server, seconds=5, rounds=3):
    """Tokens per second of eight streams against one, in turn."""
    client = Client(server)

    async def rate(clients, round):
        start = time.monotonic()

        async def one(index):
            count = 0
            while time.monotonic() < start + seconds:
                _, times = await client.stream(f"Story {round}, {clients}, {index}", 128, seed=index)
                count += sum(1 for at in times if at <= start + seconds)
            return count

        return sum(await asyncio.gather(*(one(index) for index in range(clients)))) / seconds

    pairs = [(await rate(1, round), await rate(8, round)) for round in range(rounds)]
    one, eight = (statistics.median(rates) for rates in zip(*pairs))
    ratio = statistics.median(eight / one for one, eight in pairs)
    print(f"one client {one:.0f} tokens/s, eight {eight:.0f}: {ratio:.2f} times (medians of {rounds})")
    check(ratio >= 2, "eight clients get twice the tokens of one")


async def run(server, seconds):
    await Client(server).stream("warm up", 8)
    await leaving(server)
    await scaling(server)
    await steady(server, seconds)


def main():
    martlet, model = sys.argv[1:3]
    seconds = int(sys.argv[3]) if len(sys.argv) > 3 else 60
    with serving(martlet, model, "--log-level", "warning") as server:
        asyncio.run(run(server, seconds))
        check(server.process.poll() is None, "the server runs")


main()
