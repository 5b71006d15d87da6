"""tools/services.py: what is ours, which port, and no half-made data directory."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ModuleType]:
    """The module, with a .local of its own."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import services

    monkeypatch.setattr(services, "LOCAL", tmp_path)
    monkeypatch.setattr(services, "ENV", tmp_path / "env")
    monkeypatch.setattr(services, "DIRECTORIES", {name: tmp_path / name for name in services.DIRECTORIES})
    for directory in services.DIRECTORIES.values():
        directory.mkdir()
    yield services
    del sys.modules["services"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[Path], int]]:
    """Starts something that looks like a redis-server, in a directory."""
    program = tmp_path / "bin" / "redis-server"
    program.parent.mkdir()
    shutil.copy(shutil.which("sleep") or "", program)
    started = []

    def run(directory: Path) -> int:
        started.append(subprocess.Popen([program, "60"], cwd=directory))
        name = Path(f"/proc/{started[-1].pid}/comm")
        while name.read_text().strip() != program.name:  # the kernel names it a moment after it began
            time.sleep(0.001)
        return started[-1].pid

    yield run
    for process in started:
        process.kill()
        process.wait()


def test_a_server_in_our_directory_is_ours(services: ModuleType, start: Callable[[Path], int]) -> None:
    assert services.running("redis-server") is None
    pid = start(services.DIRECTORIES["redis-server"])
    assert services.running("redis-server") == pid
    assert services.running("mariadbd") is None


def test_a_server_of_another_checkout_is_not_ours(
    services: ModuleType, start: Callable[[Path], int], tmp_path: Path
) -> None:
    start(tmp_path)
    assert services.running("redis-server") is None


def test_a_server_keeps_its_port_while_that_is_free(services: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "port"
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        file.write_text(str(port))
        assert services.choose_port(file) != port
    assert services.choose_port(file) == port


@pytest.mark.parametrize("text", ["", "x", "99999999"])
def test_a_spoiled_port_file_is_no_obstacle(services: ModuleType, tmp_path: Path, text: str) -> None:
    (tmp_path / "port").write_text(text)
    assert 0 < services.choose_port(tmp_path / "port") < 65536


def test_a_data_directory_is_made_whole_or_not_at_all(
    services: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installer = tmp_path / "mariadb-install-db"
    installer.write_text("#!/bin/sh\necho no room left on the device >&2\nexit 1\n")
    installer.chmod(0o755)
    monkeypatch.setattr(services, "require", lambda program: str(installer))
    with pytest.raises(SystemExit, match="no room left"):
        services.create_data_directory(tmp_path / "data", [])
    assert not (tmp_path / "data").exists()
    installer.write_text("#!/bin/sh\n")
    services.create_data_directory(tmp_path / "data", [])
    assert (tmp_path / "data").is_dir()
    assert not list(tmp_path.glob("mariadb.new.*"))


def test_the_secret_key_stays_the_same(
    services: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql://me:hush@db.example/footfall")
    monkeypatch.setenv("REDIS_URL", "redis://redis.example/0")
    monkeypatch.delenv("SECRET_KEY", raising=False)
    services.start()
    first = services.ENV.read_text()
    services.start()
    assert services.ENV.read_text() == first
    assert services.previous("DATABASE_URL") == "mysql://me:hush@db.example/footfall"
    assert len(services.previous("SECRET_KEY")) == 32
    assert services.ENV.stat().st_mode & 0o077 == 0
    assert "hush" not in capsys.readouterr().err
