"""A MariaDB of the rig's own, to be killed, restarted and made to refuse."""

import os
import subprocess
from pathlib import Path

import mysql.connector
import services
from stack import wait_for

from footfall.database import connection_options

IDLE_SECONDS = 4
USER, PASSWORD = "footfall", "of-the-rig"


class PrivateMariaDB:
    """The server; whatever it says to have committed survives kill -9.

    Args:
        directory: for its data and its log.
        port: of 127.0.0.1.
    """

    def __init__(self, directory: Path, port: int) -> None:
        self._data = directory / "mariadb"
        self._log = directory / "mariadb.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = port

    def start(self) -> None:
        """Start it with the data that it has, and wait until it answers."""
        as_root = ["--user=root"] if os.geteuid() == 0 else []
        if not self._data.is_dir():
            services.create_data_directory(self._data, as_root)
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                [
                    *(services.require("mariadbd"), "--no-defaults", *as_root, f"--datadir={self._data}"),
                    *("--socket=mariadbd.sock", "--bind-address=127.0.0.1", f"--port={self.port}"),
                    *("--skip-name-resolve", f"--pid-file={self._data / 'mariadbd.pid'}"),
                    *("--innodb-buffer-pool-size=128M", "--innodb-log-file-size=64M"),
                    *("--innodb-flush-log-at-trx-commit=1", "--max-allowed-packet=64M"),
                    "--character-set-server=utf8mb4",
                    # A worker that is stopped in the middle of a batch loses its locks meanwhile, or does not.
                    f"--idle-write-transaction-timeout={IDLE_SECONDS}",
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self._data,
            )
        wait_for(lambda: services.answers("mariadbd", self.port), 60, f"MariaDB answers (see {self._log})")

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def create(self, database: str) -> None:
        """A database, which `USER` may do anything in; nothing that a server's administrator may."""
        root = self.connect("information_schema")
        cursor = root.cursor()
        cursor.execute(f"CREATE DATABASE `{database}` CHARACTER SET utf8mb4")
        cursor.execute(f"CREATE USER IF NOT EXISTS {USER}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'")
        cursor.execute(f"GRANT ALL ON `{database}`.* TO {USER}@'127.0.0.1'")
        root.close()

    def url(self, database: str, port: int | None = None) -> str:
        """DATABASE_URL of the user.

        Args:
            port: of a proxy.
        """
        return f"mysql://{USER}:{PASSWORD}@127.0.0.1:{port or self.port}/{database}"

    def root_url(self, database: str) -> str:
        """DATABASE_URL of the administrator."""
        return f"mysql://root@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str, user: bool = False):  # type: ignore[no-untyped-def]  # the driver has no types
        """A connection of the administrator, or of the user, in autocommit mode."""
        url = self.url(database) if user else self.root_url(database)
        return mysql.connector.connect(**connection_options(url), autocommit=True, connection_timeout=10)
