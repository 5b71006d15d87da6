"""A Redis server of a test's own, to be killed, stopped, filled up and put back in time."""

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from stack import free_port


class PrivateRedis:
    """The server; its data lies in an append-only file that is written through, and never rewritten.

    Args:
        directory: for its data.
        port: of 127.0.0.1, instead of any that is free.
    """

    def __init__(self, directory: Path, port: int | None = None) -> None:
        self.directory = directory / "redis"
        self.directory.mkdir()
        self.port = port or free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = redis.Redis.from_url(self.url)

    def start(self, *options: str) -> None:
        """Start it with the data that it has, and wait until it answers."""
        self._process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.directory),
             "--appendonly", "yes", "--appendfsync", "always", "--save", "",
             "--auto-aof-rewrite-percentage", "0", *options],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        end = time.monotonic() + 10
        while True:
            try:
                self.client.ping()
                return
            except redis.RedisError:
                assert time.monotonic() < end
                time.sleep(0.02)

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """It stays connected and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def copy_data(self, name: str) -> None:
        """Keep its data as it is now, as if that were the last that reached the disk."""
        shutil.copytree(self.directory, self.directory.with_name(name))

    def restart_with(self, name: str) -> None:
        """Crash, and come back with data that was kept."""
        self.kill()
        shutil.rmtree(self.directory)
        shutil.copytree(self.directory.with_name(name), self.directory)
        self.start()


@contextmanager
def private_redis(directory: Path, *options: str) -> Iterator[PrivateRedis]:
    """A running server, which ends with the block."""
    server = PrivateRedis(directory)
    server.start(*options)
    try:
        yield server
    finally:
        server.kill()
        server.client.close()
