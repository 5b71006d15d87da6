"""Makes .venv with everything in requirements*.txt, and the commands of this checkout.

Only the standard library, run by the Python that the environment shall have; the Makefile calls it when .venv is
missing or older than the requirements. Debian's Python comes without what makes environments: that is installed here.
"""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

from packages import install

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"


def main() -> None:
    if not (3, 11) <= sys.version_info < (3, 14):
        sys.exit(f"Footfall needs Python 3.11 to 3.13, and this is {sys.version.split()[0]}: run `make PYTHON=…`.")
    if not usable():
        if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
            package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
            install([package], "Python's venv module is missing")
        shutil.rmtree(VENV, ignore_errors=True)
        run([sys.executable, "-m", "venv", str(VENV)])
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    print("installing what requirements.txt and requirements-dev.txt name, once", file=sys.stderr, flush=True)
    run([*pip, "-r", "requirements.txt", "-r", "requirements-dev.txt"])
    run([*pip, "--no-deps", "--editable", "."])


def usable() -> bool:
    """Whether there is an environment of a fitting Python, made to the end; a moved or half-made one is not."""
    probe = "import pip, sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))"
    return PYTHON.exists() and subprocess.run([str(PYTHON), "-c", probe], capture_output=True).returncode == 0


def run(command: list[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout[-3000:]}\nsetup: `{' '.join(command)}` failed: solve that, then run this again.")


if __name__ == "__main__":
    main()
