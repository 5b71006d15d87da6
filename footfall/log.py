"""Logging: one line per event on standard error, `key=value` pairs last, no secrets."""

import logging
import re
import sys

_SECRET = re.compile(r"(token_auth|password|SECRET_KEY)=([^&\s'\"]+)", re.IGNORECASE)


class _HideSecrets(logging.Filter):
    """Blanks out tokens and passwords that found their way into a message (a logged URL, say)."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if _SECRET.search(message):
            record.msg, record.args = _SECRET.sub(r"\1=***", message), ()
        return True


def configure(level: str = "INFO") -> None:
    """Send every log line of this process to standard error.

    Args:
        level: the least severe level that is shown (DEBUG, INFO, WARNING, ERROR).
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.addFilter(_HideSecrets())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
