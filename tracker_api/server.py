"""The gunicorn worker class of the HTTP door."""

from typing import Any

from uvicorn_worker import UvicornWorker


class TrackerWorker(UvicornWorker):
    """uvicorn with its C parser and loop, and nothing that costs without being used.

    The forwarded address is ours to judge (TRUSTED_PROXIES), so uvicorn leaves `X-Forwarded-For` alone.
    """

    CONFIG_KWARGS: dict[str, Any] = {  # noqa: RUF012 - as in the base class
        "loop": "uvloop",
        "http": "httptools",
        "lifespan": "off",
        "proxy_headers": False,
        "server_header": False,
        "access_log": False,
    }
