"""The API against its own description. Usage: openapi_cases.py MARTLET MODEL SCHEMATHESIS [CASES]

All of schemathesis' checks but one, that each request of the right shape is answered: a description
cannot say that prompt and answer have to fit the context together.
"""
import re
import subprocess
import sys
import tempfile

from served import check, serving


def run(server, schemathesis, seed):
    """How many cases one run made."""
    result = subprocess.run(
        [schemathesis, "run", server.url + "/openapi.json", "--checks", "all",
         "--exclude-checks", "positive_data_acceptance", "--exclude-path", "/dashboard/events",
         "--phases", "examples,coverage,fuzzing", "--max-examples", "250", "--continue-on-failure",
         "--workers", "1", "--seed", str(seed), "--no-color"],
        capture_output=True, text=True, cwd=tempfile.gettempdir())
    found = re.search(r"(\d+) generated", result.stdout)
    if result.returncode or not found:
        sys.exit(result.stdout[-8000:] + f"\nFAILED: with seed {seed}")
    return int(found[1])


def main():
    martlet, model, schemathesis = sys.argv[1:4]
    wanted = int(sys.argv[4]) if len(sys.argv) > 4 else 10_000
    total, seed = 0, 0
    # Answers end early, since what they say is not looked at.
    with serving(martlet, model, "--request-timeout", "1", "--log-level", "error") as server:
        while total < wanted:
            seed += 1
            total += run(server, schemathesis, seed)
            print(f"{total} cases", flush=True)
        check(server.process.poll() is None, f"{total} cases: no server error, nothing against the description")


main()
