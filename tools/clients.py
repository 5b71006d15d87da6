"""Makes sure of the clients that the tests run against our endpoint: npm packages and a browser.

Node.js comes with requirements-dev.txt. `make test` calls this; it does nothing when all of it is there.
"""

import filecmp
import shutil
import subprocess
import sys
from pathlib import Path

from packages import install

CLIENTS = Path(__file__).resolve().parent.parent / "tests" / "clients"
LOCK = CLIENTS / "package-lock.json"
INSTALLED = CLIENTS / "node_modules" / "installed.json"  # a copy of the lock, once all it names is there


def main() -> None:
    if not INSTALLED.is_file() or not filecmp.cmp(LOCK, INSTALLED, shallow=False):
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        done = subprocess.run(command, cwd=CLIENTS, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            sys.exit(f"{done.stdout[-2000:]}\nclients: `npm ci` failed in {CLIENTS}: solve that, then run this again.")
        shutil.copyfile(LOCK, INSTALLED)
    if shutil.which("chromium") is None:
        install(["chromium"], "chromium not found, the browser of the tests")


if __name__ == "__main__":
    main()
