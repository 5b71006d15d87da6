"""The gunicorn worker class of the HTTP door."""

import os
import signal
import threading
import time
from typing import Any

from uvicorn_worker import UvicornWorker

from footfall import log
from footfall.settings import load
from tracker_api.protocol import limited

_LOOK_SECONDS = 0.5


class TrackerWorker(UvicornWorker):
    """uvicorn with its C parser and loop, our limits, and nothing that costs without being used.

    The forwarded address is ours to judge (TRUSTED_PROXIES), so uvicorn leaves `X-Forwarded-For` alone.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.CONFIG_KWARGS: dict[str, Any] = {
            "loop": "uvloop",
            "http": limited(load()),
            "ws": "none",
            "lifespan": "on",
            "proxy_headers": False,
            "server_header": False,
            "access_log": False,
        }
        super().__init__(*args, **kwargs)
        settings = load()
        log.configure(settings.log_level, settings.log_format)
        for handler in self.log.error_log.handlers:  # gunicorn's own lines, and uvicorn's
            handler.setFormatter(log.formatter(settings.log_format))

    def run(self) -> None:
        """Serve until told to stop, or until gunicorn is gone.

        uvicorn's worker does not look after its parent: those of a gunicorn that was killed went on without anyone to
        restart them, and kept the port from the next one.
        """
        threading.Thread(target=self._end_with_parent, name="parent", daemon=True).start()
        super().run()

    def _end_with_parent(self) -> None:
        while os.getppid() == self.ppid:
            time.sleep(_LOOK_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)
