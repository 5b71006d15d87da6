"""Begins the fault rig: `python tests/faults`."""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # the directory of this package, instead of the package itself

from faults.command import main  # noqa: E402

main()
