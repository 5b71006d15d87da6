"""Installs Debian packages that the setup needs, as root or through sudo; only the standard library."""

import os
import shutil
import subprocess
import sys

# policy-rc.d keeps a package from starting the system's own server: ours are private.
_SCRIPT = """
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    trap "rm -f $policy" EXIT
    printf '#!/bin/sh\\nexit 101\\n' > $policy
    chmod 755 $policy
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
"""


def install(packages: list[str], need: str) -> None:
    """Install the packages with apt, or end the program with one sentence that says what to do.

    Args:
        packages: names of Debian packages.
        need: what is missing and why it is needed, the beginning of that sentence.
    """
    names = " ".join(packages)
    if shutil.which("apt-get") is None:
        sys.exit(f"{need}: install what Debian calls {names}, then run this again.")
    if os.geteuid() == 0:
        root = []
    elif shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        root = ["sudo", "-n"]
    else:
        sys.exit(f"{need}: run `apt install {names}` as root, then this again.")
    print(f"{need}: installing {names} with apt", file=sys.stderr, flush=True)
    done = subprocess.run([*root, "sh", "-c", _SCRIPT, "sh", *packages], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{done.stderr[-2000:]}\n{need}: apt could not install {names}; install them, then run this again.")
