"""The gunicorn worker class of the HTTP door."""

from typing import Any

from uvicorn_worker import UvicornWorker

from footfall.settings import load
from tracker_api.protocol import limited


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
