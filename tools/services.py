#!/usr/bin/env python3
"""Private MariaDB and Redis for development and tests, below .local/ of this checkout.

    services.py start    start what is not running, write .local/env
    services.py stop     stop what was started here, by process id
    services.py status   say what runs

Only the standard library: this runs before anything is installed. Where DATABASE_URL or REDIS_URL is set in the
environment, that server is used and none is started. The servers listen on a socket below .local/ and on a free port
of 127.0.0.1, so that two checkouts do not collide.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCAL = Path(os.environ.get("FOOTFALL_LOCAL", ROOT / ".local"))
ENV = LOCAL / "env"
PACKAGES = {"mariadbd": "mariadb-server", "redis-server": "redis-server"}


def fail(message: str) -> None:
    sys.exit(f"services: {message}")


def find(program: str) -> str | None:
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin:/sbin")


def install(programs: list[str]) -> None:
    """Install missing programs with apt, as root or through sudo."""
    missing = [program for program in programs if find(program) is None]
    if not missing:
        return
    packages = [PACKAGES[program] for program in missing]
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if shutil.which("apt-get") is None or (root and shutil.which("sudo") is None):
        fail(f"{' and '.join(missing)} not found: install {' '.join(packages)}, or set DATABASE_URL and REDIS_URL.")
    print(f"services: installing {' '.join(packages)} with apt", file=sys.stderr)
    # policy-rc.d keeps the packages from starting the system's own servers.
    policy = Path("/usr/sbin/policy-rc.d")
    ours = os.geteuid() == 0 and not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", *packages]):
            done = subprocess.run([*root, *command], env=environment, capture_output=True, text=True)
        if done.returncode:
            print(done.stderr[-2000:], file=sys.stderr)
            fail(f"apt could not install {' '.join(packages)}: install them by hand, then run this again.")
    finally:
        if ours:
            policy.unlink()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def running(name: str) -> int | None:
    """The process id of a server started here, when it is alive."""
    try:
        pid = int((LOCAL / f"{name}.pid").read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if str(LOCAL).encode() in command or name.encode() in command else None


def spawn(name: str, command: list[str]) -> None:
    with (LOCAL / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=LOCAL
        )
    (LOCAL / f"{name}.pid").write_text(str(process.pid))


def wait(name: str, ready: list[str]) -> None:
    for _ in range(300):
        if subprocess.run(ready, capture_output=True).returncode == 0:
            return
        if running(name) is None:
            break
        time.sleep(0.1)
    fail(f"{name} did not start: see {LOCAL / f'{name}.log'}.")


def start_mariadb() -> str:
    data, sock = LOCAL / "mariadb", runtime_socket("mariadb")
    base = ["--no-defaults", f"--datadir={data}", f"--socket={sock}"]
    if os.geteuid() == 0:
        base.append("--user=root")
    if not (data / "mysql").is_dir():
        data.mkdir(parents=True, exist_ok=True)
        installer = find("mariadb-install-db") or fail("mariadb-install-db not found: reinstall mariadb-server.")
        done = subprocess.run(
            [str(installer), "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal"]
            + (["--user=root"] if os.geteuid() == 0 else []),
            capture_output=True,
            text=True,
        )
        if done.returncode:
            fail(f"mariadb-install-db failed: {done.stderr[-500:]}")
    port_file = LOCAL / "mariadb.port"
    if running("mariadbd") is None:
        port = free_port()
        spawn(
            "mariadbd",
            [
                str(find("mariadbd")),
                *base,
                "--bind-address=127.0.0.1",
                f"--port={port}",
                f"--pid-file={LOCAL / 'mariadbd.server.pid'}",
                "--innodb-buffer-pool-size=512M",
                "--innodb-log-file-size=256M",
                "--innodb-flush-log-at-trx-commit=1",
                "--max-allowed-packet=64M",
                "--character-set-server=utf8mb4",
                "--skip-name-resolve",
                "--max-connections=200",
            ],
        )
        port_file.write_text(str(port))
        wait("mariadbd", [str(find("mariadb-admin")), "--no-defaults", f"--socket={sock}", "-uroot", "ping"])
        subprocess.run(
            [str(find("mariadb")), "--no-defaults", f"--socket={sock}", "-uroot", "-e"]
            + ["CREATE DATABASE IF NOT EXISTS footfall CHARACTER SET utf8mb4"],
            check=True,
        )
    return f"mysql://root@127.0.0.1:{port_file.read_text()}/footfall"


def start_redis() -> str:
    port_file = LOCAL / "redis.port"
    if running("redis-server") is None:
        (LOCAL / "redis").mkdir(exist_ok=True)
        port = free_port()
        spawn(
            "redis-server",
            [
                str(find("redis-server")),
                *("--port", str(port), "--bind", "127.0.0.1", "--dir", str(LOCAL / "redis")),
                *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
                *("--maxmemory", "2gb", "--maxmemory-policy", "noeviction", "--databases", "64"),
            ],
        )
        port_file.write_text(str(port))
        wait("redis-server", [str(find("redis-cli")), "-p", str(port), "ping"])
    return f"redis://127.0.0.1:{port_file.read_text()}/0"


def runtime_socket(name: str) -> Path:
    """A socket path below .local/, or below /tmp where the path would be too long for a socket (108 bytes)."""
    path = LOCAL / f"{name}.sock"
    if len(str(path)) < 100:
        return path
    return Path("/tmp") / f"footfall-{os.geteuid()}-{abs(hash(str(LOCAL))) % 10**8}-{name}.sock"


def previous(name: str) -> str | None:
    if ENV.is_file():
        for line in ENV.read_text().splitlines():
            if line.startswith(f"{name}="):
                return line.split("=", 1)[1]
    return None


def start() -> None:
    LOCAL.mkdir(parents=True, exist_ok=True)
    database_url, redis_url = os.environ.get("DATABASE_URL"), os.environ.get("REDIS_URL")
    install(([] if database_url else ["mariadbd"]) + ([] if redis_url else ["redis-server"]))
    values = {
        "DATABASE_URL": database_url or start_mariadb(),
        "REDIS_URL": redis_url or start_redis(),
        "SECRET_KEY": os.environ.get("SECRET_KEY") or previous("SECRET_KEY") or secrets.token_hex(16),
    }
    text = "".join(f"{name}={value}\n" for name, value in values.items())
    temporary = ENV.with_suffix(".new")
    temporary.touch(mode=0o600)
    temporary.write_text(text)
    temporary.replace(ENV)
    print(f"services: MariaDB and Redis are up, {ENV} is written", file=sys.stderr)


def stop() -> None:
    for name in ("redis-server", "mariadbd"):
        pid = running(name)
        if pid is None:
            continue
        os.kill(pid, signal.SIGTERM)
        for _ in range(600):
            if running(name) is None:
                break
            time.sleep(0.05)
        (LOCAL / f"{name}.pid").unlink(missing_ok=True)


def status() -> None:
    for name in ("mariadbd", "redis-server"):
        print(f"{name}: {'running, process ' + str(running(name)) if running(name) else 'not running'}")


if __name__ == "__main__":
    commands = {"start": start, "stop": stop, "status": status}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]]()
