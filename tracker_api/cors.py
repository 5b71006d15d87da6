"""Cross-origin answers, as browsers need them for `sendBeacon`, `fetch` and XMLHttpRequest with credentials.

The page that sends is always of another origin than the tracker. matomo.js sends with credentials, for which browsers
want the origin itself, not `*`. Nothing in an answer is worth protecting from that page.
"""

from falcon.asgi import Request, Response

_PREFLIGHT_SECONDS = "86400"
_HEADERS = "Content-Type, Content-Encoding, X-Requested-With"


def allow(request: Request, response: Response) -> None:
    """Let the page that sent the request read the answer."""
    origin = request.get_header("origin")
    if origin:
        response.set_header("access-control-allow-origin", origin)
        response.set_header("access-control-allow-credentials", "true")
        response.append_header("vary", "Origin")


def preflight(request: Request, response: Response) -> None:
    """Say which methods and headers the page may send."""
    response.set_header("access-control-allow-methods", "GET, POST, OPTIONS")
    asked = request.get_header("access-control-request-headers")
    response.set_header("access-control-allow-headers", asked or _HEADERS)
    response.set_header("access-control-max-age", _PREFLIGHT_SECONDS)
