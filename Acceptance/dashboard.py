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
    if not folder:
        return
    for size, shape in SIZES.items():
        for scheme in ["light", "dark"]:
            show(driver, shape, scheme)
            driver.execute_script("scrollTo(0, 0)")
            time.sleep(0.8)
            driver.save_screenshot(os.path.join(folder, f"{name}-{size}-{scheme}.png"))
            check(driver.execute_script(
                "return document.documentElement.scrollWidth <= innerWidth"),
                f"{name}, {size}, {scheme}: nothing is wider than the page")
    show(driver, SIZES["desktop"], "light")


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
    shoot(driver, folder, "lost")
    errors = [line for line in driver.get_log("browser") if line["level"] in ("SEVERE", "WARNING")]
    check(not errors, f"no console error {errors}")


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


def main():
    martlet, model = sys.argv[1:3]
    folder = sys.argv[3] if len(sys.argv) > 3 else None
    driver = browser()
    try:
        with serving(martlet, model, devices=True) as server:
            run(server, driver, folder)
        locked(martlet, model, driver, folder)
    finally:
        driver.quit()


main()
