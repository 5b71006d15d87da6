"""The fault rig: breaks a private installation at random moments, and proves that nothing was lost or doubled.

    installation   the servers and processes, with proxies between them        mariadb, proxy, spool_disk
    visitors       whose numbered requests the clients send and note           clients, ledger
    kinds          of faults, and the injector that carries a schedule out     injector
    checks         of what is recorded, and comparison with an undisturbed run  queue_log, undisturbed, comparison
    report         the table in docs/reliability.md
    rig            a run from the beginning to the end

`make test-faults` runs it, `pytest tests/faults` its short form.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "tools"))  # for traffic, services and packages
