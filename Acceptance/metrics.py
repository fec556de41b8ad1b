"""Prometheus and its checker on /metrics. Usage: metrics.py MARTLET MODEL"""
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request

from served import check, serving


def ask(server):
    body = json.dumps({"prompt": "Once upon a time", "max_tokens": 20}).encode()
    urllib.request.urlopen(urllib.request.Request(server.url + "/v1/completions", body)).read()


def lint(server):
    page = server.get("/metrics")
    result = subprocess.run(["promtool", "check", "metrics"], input=page, text=True, capture_output=True)
    said = (result.stdout + result.stderr).strip()
    check(result.returncode == 0 and not said, f"promtool check metrics is clean {said}")


def scrape(server):
    with tempfile.TemporaryDirectory() as folder:
        config = os.path.join(folder, "prometheus.yml")
        target = server.url.removeprefix("http://")
        with open(config, "w") as file:
            file.write("scrape_configs:\n  - job_name: martlet\n    scrape_interval: 1s\n"
                       f"    scrape_timeout: 1s\n    static_configs: [{{targets: ['{target}']}}]\n")
        address = "127.0.0.1:19090"
        prometheus = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/data",
             f"--web.listen-address={address}"], stderr=subprocess.DEVNULL)
        try:
            values = wait_for(address, "martlet_answer_tokens_total")
            check(values == [20.0], "Prometheus scrapes the answer's tokens")
            for name in ["martlet_first_token_seconds_count", "martlet_token_seconds_count",
                         "martlet_queue_seconds_count", "martlet_device_round_trip_seconds_count",
                         "martlet_round_trips_total", "martlet_device_frames_total",
                         "martlet_device_experts_bytes"]:
                check(wait_for(address, name)[0] > 0, f"Prometheus has {name}")
        finally:
            prometheus.terminate()
            prometheus.wait(20)


def wait_for(address, name, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            url = f"http://{address}/api/v1/query?query={name}"
            result = json.load(urllib.request.urlopen(url))["data"]["result"]
            if result:
                return [float(one["value"][1]) for one in result]
        except OSError:
            pass
        time.sleep(0.3)
    sys.exit(f"FAILED: Prometheus does not know {name}")


def main():
    martlet, model = sys.argv[1:3]
    with serving(martlet, model, devices=True) as server:
        lint(server)
        server.device("one")
        end = time.monotonic() + 20
        while 'martlet_devices{state="ready"}' not in (values := server.metrics()) \
                or values['martlet_devices{state="ready"}'] < 1:
            check(time.monotonic() < end, "the device gets ready") if time.monotonic() > end else None
            time.sleep(0.1)
        ask(server)
        lint(server)
        scrape(server)


main()
