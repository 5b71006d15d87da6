"""The second database: the same requests, recorded by one process that nothing happens to."""

import subprocess
from collections.abc import Mapping, Sequence

import recorded_tracking
from stack import BIN

from faults.installation import DATABASE, SECRET_KEY, UNDISTURBED, Installation
from footfall import migrations
from footfall.clock import SystemClock
from footfall.database import Database
from footfall.queue.request import TrackingRequest
from footfall.settings import Settings
from footfall.tracking.recorder import Recorder

_BATCH = 500
_SET_UP = ("site", "goal", "user", "user_token_auth", "option")


class Undisturbed:
    """Records what the queue was given, in its order."""

    def __init__(self, there: Installation) -> None:
        self._environment = there.environment(UNDISTURBED)
        settings = Settings(database_url=there.mariadb.root_url(UNDISTURBED), secret_key=SECRET_KEY)
        self.database = Database(settings)
        migrations.migrate(self.database, SystemClock())
        for table in _SET_UP:
            self.database.execute(f"DELETE FROM `{table}`")
            self.database.execute(f"INSERT INTO `{table}` SELECT * FROM `{DATABASE}`.`{table}`")
        self._recorder = Recorder(self.database, settings, SystemClock())

    def record(self, requests: Sequence[TrackingRequest]) -> None:
        """Record what was not given before."""
        for start in range(0, len(requests), _BATCH):
            report = recorded_tracking.record(self._recorder, self.database, requests[start : start + _BATCH])
            assert not report.rejected, report.rejected

    def archive(self) -> None:
        """Archive all that is due."""
        archive(self._environment)

    def close(self) -> None:
        """Close the connection."""
        self.database.close()


def archive(environment: Mapping[str, str]) -> None:
    """Run `archive_cli run` to its end; it must not fail."""
    done = subprocess.run(
        [str(BIN / "archive_cli"), "run"], env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"archive_cli run failed: {done.stdout[-500:]}{done.stderr[-2000:]}"
