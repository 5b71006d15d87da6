"""Private MariaDB and Redis for development and tests, below .local/ of this checkout.

    services.py start    start what is not running, write .local/env
    services.py stop     stop what was started here, by process id
    services.py status   say what runs

Only the standard library: this runs before anything is installed. Where DATABASE_URL or REDIS_URL is set in the
environment, that server is used and none is started. The servers listen on a free port of 127.0.0.1, which they keep
from one start to the next; their data and sockets are below .local/, so that two checkouts do not collide. A server is
ours when it runs in its data directory there: no file with a process id can be stale or missing.
"""

import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from packages import install

ROOT = Path(__file__).resolve().parent.parent
LOCAL = ROOT / ".local"
ENV = LOCAL / "env"
START_SECONDS = 120  # recovery after a crash takes a while
STOP_SECONDS = 60
# The core packages have no system service that would start by itself.
PACKAGES = {"mariadbd": ["mariadb-server-core", "mariadb-client-core"], "redis-server": ["redis-server"]}
DIRECTORIES = {"mariadbd": LOCAL / "mariadb", "redis-server": LOCAL / "redis"}


def fail(message: str) -> NoReturn:
    sys.exit(f"services: {message}")


def find(program: str) -> str | None:
    """The path of a program, also where only root usually looks."""
    return shutil.which(program, path=os.environ.get("PATH", os.defpath) + ":/usr/local/sbin:/usr/sbin:/sbin")


def require(program: str) -> str:
    return find(program) or fail(f"{program} was not found: reinstall {' and '.join(PACKAGES['mariadbd'])}.")


def running(name: str) -> int | None:
    """The process id of our server of this name, when it is alive."""
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                if (process / "comm").read_text().strip() == name and (process / "cwd").samefile(DIRECTORIES[name]):
                    return int(process.name)
            except OSError:  # ended meanwhile, or someone else's
                continue
    return None


def answers(name: str, port: int) -> bool:
    """Whether the server takes commands: MariaDB speaks first, Redis says PONG once its data is loaded."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            if name == "redis-server":
                connection.sendall(b"PING\r\n")
                return connection.recv(5) == b"+PONG"
            return connection.recv(5) != b""
    except OSError:
        return False


def choose_port(file: Path) -> int:
    """The port of the last time when it is free, so that processes that know it find the server again."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(file.read_text())))
        except (OSError, ValueError, OverflowError):
            probe.close()
            with socket.socket() as other:
                other.bind(("127.0.0.1", 0))
                return int(other.getsockname()[1])
        return int(probe.getsockname()[1])


def ensure(name: str, port_file: Path, command: Callable[[int], list[str]]) -> int:
    """Start a server unless it runs, and wait until it answers; its port."""
    log = LOCAL / f"{name}.log"
    process = None
    if running(name) is None:
        port = choose_port(port_file)
        port_file.write_text(str(port))
        with log.open("ab") as output:
            process = subprocess.Popen(
                command(port),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C in the terminal is not for the servers
                cwd=DIRECTORIES[name],
            )
    try:
        port = int(port_file.read_text())
    except (OSError, ValueError):
        fail(f"{name} runs, but {port_file} does not say where: run `make stop`, then this again.")
    end = time.monotonic() + START_SECONDS
    while not answers(name, port):
        if process is not None and process.poll() is not None:
            fail(f"{name} did not start: see {log}.")
        if time.monotonic() > end:
            fail(f"{name} does not answer on port {port}: see {log}, or run `make stop`, then this again.")
        time.sleep(0.05)
    return port


def start_mariadb() -> str:
    """Start the private MariaDB; its DATABASE_URL."""
    data = DIRECTORIES["mariadbd"]
    as_root = ["--user=root"] if os.geteuid() == 0 else []  # it refuses to run as root unasked
    if not data.is_dir():
        create_data_directory(data, as_root)
    # Reading this at each start costs nothing and makes up for a first start that was cut short.
    first = LOCAL / "mariadb.sql"
    first.write_text("CREATE DATABASE IF NOT EXISTS footfall CHARACTER SET utf8mb4;\n")
    port = ensure(
        "mariadbd",
        LOCAL / "mariadb.port",
        lambda port: [
            require("mariadbd"),
            *("--no-defaults", *as_root, f"--datadir={data}", f"--init-file={first}"),
            # Relative to the data directory: the path of a socket must be shorter than 108 bytes.
            *("--socket=mariadbd.sock", "--bind-address=127.0.0.1", f"--port={port}", "--skip-name-resolve"),
            f"--pid-file={data / 'mariadbd.pid'}",
            *("--innodb-buffer-pool-size=512M", "--innodb-log-file-size=256M"),
            "--innodb-flush-log-at-trx-commit=1",
            *("--max-allowed-packet=64M", "--max-connections=200", "--character-set-server=utf8mb4"),
        ],
    )
    return f"mysql://root@127.0.0.1:{port}/footfall"


def create_data_directory(data: Path, as_root: list[str]) -> None:
    """Make the data directory under another name first, so that a half-made one is never taken for a whole one."""
    for leftover in data.parent.glob("mariadb.new.*"):
        shutil.rmtree(leftover, ignore_errors=True)
    new = Path(tempfile.mkdtemp(prefix="mariadb.new.", dir=data.parent))
    done = subprocess.run(
        [
            *(require("mariadb-install-db"), "--no-defaults", *as_root, f"--datadir={new}"),
            *("--auth-root-authentication-method=normal", "--skip-test-db"),
        ],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        fail(f"mariadb-install-db failed: {(done.stderr or done.stdout)[-500:].strip()}")
    new.rename(data)


def start_redis() -> str:
    """Start the private Redis; its REDIS_URL."""
    data = DIRECTORIES["redis-server"]
    data.mkdir(exist_ok=True)
    port = ensure(
        "redis-server",
        LOCAL / "redis.port",
        lambda port: [
            require("redis-server"),
            *("--port", str(port), "--bind", "127.0.0.1", "--dir", str(data)),
            *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
            *("--maxmemory", "2gb", "--maxmemory-policy", "noeviction", "--databases", "64"),
        ],
    )
    return f"redis://127.0.0.1:{port}/0"


def previous(name: str) -> str | None:
    """The value that the env file has already."""
    lines = ENV.read_text().splitlines() if ENV.is_file() else []
    return next((line.partition("=")[2] for line in lines if line.startswith(f"{name}=")), None)


def start() -> None:
    database_url, redis_url = os.environ.get("DATABASE_URL"), os.environ.get("REDIS_URL")
    wanted = ([] if database_url else ["mariadbd"]) + ([] if redis_url else ["redis-server"])
    if missing := [program for program in wanted if find(program) is None]:
        install([package for program in missing for package in PACKAGES[program]], f"{' and '.join(missing)} not found")
    values = {
        "DATABASE_URL": database_url or start_mariadb(),
        "REDIS_URL": redis_url or start_redis(),
        "SECRET_KEY": os.environ.get("SECRET_KEY") or previous("SECRET_KEY") or secrets.token_hex(16),
    }
    text = "".join(f"{name}={value}\n" for name, value in values.items())
    if not ENV.is_file() or ENV.read_text() != text:
        temporary = ENV.with_suffix(".new")
        temporary.unlink(missing_ok=True)
        temporary.touch(mode=0o600)
        temporary.write_text(text)
        temporary.replace(ENV)
    own = {"mariadbd": "MariaDB", "redis-server": "Redis"}
    up = [f"our {own[name]} is up" if name in wanted else f"{own[name]} is the one of the environment" for name in own]
    print(f"services: {', '.join(up)}; {ENV} says where", file=sys.stderr)


def stop() -> None:
    for name in ("redis-server", "mariadbd"):
        pid = running(name)
        if pid is None:
            continue
        os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + STOP_SECONDS
        while running(name) == pid:
            if time.monotonic() > end:
                fail(f"{name} (process {pid}) does not stop: see {LOCAL / f'{name}.log'}.")
            time.sleep(0.05)
        print(f"services: stopped {name}", file=sys.stderr)


def status() -> None:
    for name in ("mariadbd", "redis-server"):
        pid = running(name)
        print(f"{name}: {f'running, process {pid}' if pid else 'not running'}")


@contextmanager
def alone() -> Iterator[None]:
    """Keep two of us, in two terminals of the same checkout, from starting a server twice."""
    LOCAL.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (LOCAL / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    commands = {"start": start, "stop": stop, "status": status}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    with alone():
        commands[sys.argv[1]]()
