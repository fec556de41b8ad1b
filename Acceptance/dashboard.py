"""The dashboard in headless Chromium. Usage: dashboard.py MARTLET MODEL [FOLDER FOR SCREENSHOTS]"""
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

from served import check, serving

SIZES = {"phone": (390, 844), "desktop": (1440, 900)}


def browser():
    options = webdriver.ChromeOptions()
    for option in ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars",
                   "--disable-gpu"]:
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))


def show(driver, size, scheme, motion="no-preference"):
    width, height = size
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
        {"name": "prefers-color-scheme", "value": scheme},
        {"name": "prefers-reduced-motion", "value": motion}]})


def states(driver):
    return driver.execute_script(
        "return Object.fromEntries([...document.querySelectorAll('#devices tr')].map("
        "(row) => [row.querySelector('b').textContent, row.className]))")


def shoot(driver, folder, name):
    """The whole page on a desk, the map and what follows it on a phone; looks that nothing is cut off."""
    for size, (width, height) in SIZES.items():
        for scheme in ["light", "dark"]:
            show(driver, (width, height), scheme)
            time.sleep(0.8)
            if size == "desktop":
                height = driver.execute_script("return document.documentElement.scrollHeight")
                show(driver, (width, height), scheme)
            driver.execute_script(
                "scrollTo(0, arguments[0] ? document.querySelector('.map').offsetTop - 8 : 0)",
                size == "phone")
            time.sleep(0.8)
            if folder:
                driver.save_screenshot(os.path.join(folder, f"{name}-{size}-{scheme}.png"))
            check(driver.execute_script(
                "return document.documentElement.scrollWidth <= innerWidth"),
                f"{name}, {size}, {scheme}: nothing is wider than the page")
    show(driver, SIZES["desktop"], "light")


def text(driver, name):
    """An element's text, also where it is there for readers only."""
    return driver.execute_script("return document.getElementById(arguments[0]).textContent", name)


def walk(driver, canvas, axis):
    """What the arrow keys tell of a grid's second expert."""
    driver.execute_script("document.getElementById(arguments[0]).focus()", canvas)
    driver.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    driver.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    said = text(driver, axis)
    driver.execute_script("document.activeElement.blur()")
    return said


def views(driver, wait, devices):
    """Map, popularity, placement, shipments and plan, after a chat."""
    places = text(driver, "map-list")
    check(all(f"{name}: " in places for name in devices) and "a message takes" in places,
          f"the map has its words: {places}")
    shapes = driver.execute_script("return document.querySelectorAll('#map .node').length")
    check(shapes == len(devices), "the map has a node for each device")
    wait.until(lambda d: "visits since the start" in text(d, "heat-note"))
    said = walk(driver, "heat", "heat-axis")
    check("of the layer’s visits; " in said and "expert" in said, f"arrow keys tell popularity: {said}")
    said = walk(driver, "grid", "axis")
    check(any(name in said for name in devices), f"arrow keys tell who holds an expert: {said}")
    legend = text(driver, "legend")
    check("copies" in legend, f"copies are in the legend: {legend}")
    wait.until(lambda d: text(d, "shipments-note") == "Everything is there.")
    bars = driver.execute_script(
        "return [...document.querySelectorAll('#shipments [role=progressbar]')].map("
        "(bar) => bar.getAttribute('aria-valuenow'))")
    check(bars == ["100"] * len(devices), "every device's shipment is complete")
    wait.until(lambda d: text(d, "plan-frames") != "–")
    check("Made from what was measured" in text(driver, "plan-note"),
          f"the plan is the base station's own: {text(driver, 'plan-note')}")
    check(float(text(driver, "plan-frames-foreseen")) > 0,
          f"it tells what is measured, {text(driver, 'plan-frames')} frames a token, beside what it "
          f"foresees, {text(driver, 'plan-frames-foreseen')}")


@contextlib.contextmanager
def busy(server):
    """Two clients that ask one thing after another."""
    ended = threading.Event()

    def client(number):
        while not ended.wait(0.4):
            body = json.dumps({"prompt": f"Chapter {number}", "max_tokens": 40})
            urllib.request.urlopen(urllib.request.Request(
                server.url + "/v1/completions", body.encode())).read()

    clients = [threading.Thread(target=client, args=(number,)) for number in range(2)]
    for one in clients:
        one.start()
    try:
        yield
    finally:
        ended.set()
        for one in clients:
            one.join()


def run(server, driver, folder):
    devices = {name: server.device(name) for name in ["kitchen", "study", "attic"]}
    show(driver, SIZES["desktop"], "light")
    driver.get(server.url + "/")
    wait = WebDriverWait(driver, 30, poll_frequency=0.05)
    wait.until(lambda d: all(states(d).get(name) == "ready" for name in devices))
    check(True, "devices appear and get ready")

    box = driver.find_element(By.ID, "question")
    box.send_keys("Once upon a time there was a little girl named Lily.", Keys.ENTER)
    wait.until(lambda d: len(d.find_elements(By.CSS_SELECTOR, ".token")) > 3)
    check(not driver.find_elements(By.CSS_SELECTOR, ".turn .cost"), "a chat streams")
    wait.until(lambda d: d.find_elements(By.CSS_SELECTOR, ".turn .cost"))
    tokens = driver.find_elements(By.CSS_SELECTOR, ".token")
    check(len(tokens) > 20, f"{len(tokens)} tokens came")
    driver.execute_script("arguments[0].focus()", tokens[0])
    for _ in range(5):
        driver.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    trace = driver.find_element(By.ID, "trace").text
    check("layer 0:" in trace and any(name in trace for name in devices),
          "the arrow keys show a token's experts and devices")
    views(driver, wait, devices)
    with busy(server):
        time.sleep(8)
        shoot(driver, folder, "dashboard")

    start = time.monotonic()
    devices["study"].send_signal(signal.SIGKILL)
    wait.until(lambda d: states(d).get("study") == "lost")
    seconds = time.monotonic() - start
    red = driver.execute_script(
        "return getComputedStyle(document.querySelector('tr.lost .chip')).color")
    check(seconds < 3 and red == "rgb(179, 38, 30)", f"a killed device is red after {seconds:.2f} s")
    check("study" in driver.find_element(By.ID, "events").text, "the loss is an event")
    wait.until(lambda d: "study: lost" in text(d, "map-list"))
    check("study" not in text(driver, "shipments"), "nothing is on its way to who is lost")
    shoot(driver, folder, "lost")
    page = status(server.martlet, server.url).stdout
    check(any(line.split()[:2] == ["study", "lost"] for line in page.splitlines()),
          "martlet status tells of the loss")
    check(all(word in page for word in ["plan: ", "experts to devices: ", "visits: ", "round trips"]),
          "martlet status tells of plan, shipments and visits")
    errors = [line for line in driver.get_log("browser") if line["level"] in ("SEVERE", "WARNING")]
    check(not errors, f"no console error {errors}")


def status(martlet, url, *options):
    return subprocess.run([martlet, "status", "--url", url, *options], capture_output=True, text=True)


def locked(martlet, model, driver, folder):
    """With keys, the page asks for one and shows nothing before."""
    with tempfile.TemporaryDirectory() as keys:
        path = os.path.join(keys, "keys")
        key = subprocess.run([martlet, "keys", "add", "me", "--file", path], check=True,
                             capture_output=True, text=True).stdout.strip()
        with serving(martlet, model, "--api-keys", path) as server:
            driver.get(server.url + "/")
            wait = WebDriverWait(driver, 10, poll_frequency=0.05)
            wait.until(lambda d: d.find_element(By.ID, "lock").is_displayed())
            check(driver.find_element(By.ID, "model").text.strip() == "", "nothing is told without a key")
            driver.find_element(By.ID, "key").send_keys("wrong", Keys.ENTER)
            wait.until(lambda d: "does not know" in d.find_element(By.ID, "lock-note").text)
            driver.find_element(By.ID, "key").send_keys(key, Keys.ENTER)
            wait.until(lambda d: d.find_element(By.ID, "connection").text == "Ready")
            check(True, "the key opens the page")
            refused = status(martlet, server.url)
            check(refused.returncode != 0 and "a key is needed" in refused.stderr,
                  "martlet status asks for a key")
            file = os.path.join(keys, "key")
            with open(file, "w") as out:
                out.write(key + "\n")
            answer = status(martlet, server.url, "--api-key-file", file, "--json")
            check(json.loads(answer.stdout)["status"]["ready"], "the key opens martlet status")


def planned(martlet, model, driver):
    """With a plan the page tells what it foresees, and what is in the base station's memory or in none."""
    def run(*arguments):
        subprocess.run([martlet, *arguments], check=True, capture_output=True)

    with tempfile.TemporaryDirectory() as folder:
        story, profile, devices, plan = (
            os.path.join(folder, name) for name in ["story.txt", "p.db", "devices.json", "plan.json"])
        with open(story, "w") as out:
            out.write("It was a cold evening, and the old man went home. " * 60)
        with open(devices, "w") as out:
            json.dump({"devices": [{"name": "kitchen", "memoryBytes": 4_000_000, "messageSeconds": 0.003,
                                    "visitSeconds": 0.001}]}, out)
        run("calibrate", "--model", model, "--file", story, "--windows", "1", "--output", profile)
        run("plan", "deploy", "--model", model, "--profile", profile, "--devices", devices,
            "--resident", "5MB", "--output", plan)
        with serving(martlet, model, "--plan", plan, devices=True) as server:
            driver.get(server.url + "/")
            wait = WebDriverWait(driver, 10, poll_frequency=0.05)
            server.device("kitchen")
            wait.until(lambda d: "From plan.json, since" in text(d, "plan-note"))
            check(text(driver, "plan-time-foreseen") != "–" and text(driver, "plan-trips-foreseen") != "–",
                  "the page tells what the plan foresees")
            wait.until(lambda d: "kitchen: " in text(d, "legend"))
            legend = text(driver, "legend")
            check("base station’s memory: " in legend and "in no memory: " in legend,
                  f"the page tells what is in which memory: {legend}")
            check("to 1 device by plan.json" in text(driver, "plan-changes"), "the change is listed")


def main():
    martlet, model = sys.argv[1:3]
    folder = sys.argv[3] if len(sys.argv) > 3 else None
    driver = browser()
    try:
        with serving(martlet, model, devices=True) as server:
            run(server, driver, folder)
        planned(martlet, model, driver)
        locked(martlet, model, driver, folder)
    finally:
        driver.quit()


main()
