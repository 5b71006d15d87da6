"""Runs the processes of the Procfile in the foreground until Ctrl-C, on PORT (`make up`)."""

import os
import socket
import sys
from pathlib import Path

from footfall import migrations
from footfall.clock import SystemClock
from footfall.database import Database
from footfall.errors import FootfallError
from footfall.settings import load


def main() -> None:
    port = int(os.environ.get("PORT", "8000"))
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            sys.exit(f"Port {port} is taken: run `make up PORT=…` with another one.")
    try:
        migrations.migrate(Database(load()), SystemClock())
    except FootfallError as error:
        sys.exit(str(error))
    base = f"http://127.0.0.1:{port}"
    print(f"tracking  {base}/matomo.php\nreports   {base}/index.php?module=API\nqueue     {base}/queue")
    print(f"health    {base}/readyz\nCtrl-C ends it.", flush=True)
    commands = Path(sys.executable).parent
    os.environ["PATH"] = f"{commands}{os.pathsep}{os.environ['PATH']}"
    os.execv(commands / "honcho", ["honcho", "start"])


if __name__ == "__main__":
    main()
