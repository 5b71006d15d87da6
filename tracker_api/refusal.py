"""What the endpoint refuses, each with a status and one sentence."""

from footfall.errors import FootfallError
from footfall.queue.memory import Overloaded


class Refused(FootfallError):
    """A request that is not taken.

    Args:
        status: the HTTP status, 4xx or 5xx.
        reason: one word for the counter, such as `idsite`.
        sentence: what is wrong and what to do.
    """

    def __init__(self, status: int, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.reason = reason


def bad_site(value: str | None) -> Refused:
    """The parameter `idsite` is missing or no site's number (reference: status 400)."""
    if value is None:
        return Refused(400, "idsite", "The parameter idsite is missing: send the number of the site.")
    return Refused(400, "idsite", "The parameter idsite must be the number of a site, a whole number above 0.")


def too_large(limit: int) -> Refused:
    """The body is over MAX_BODY_BYTES."""
    return Refused(413, "body_size", f"The body is larger than {limit} bytes: send fewer requests in one body.")


def too_many(limit: int) -> Refused:
    """The bulk body has more entries than MAX_BULK_REQUESTS."""
    return Refused(413, "bulk_size", f"The bulk body has more than {limit} requests: send them in several bodies.")


def incomplete() -> Refused:
    """The client went away in the middle of the body."""
    return Refused(400, "incomplete", "The body ended early: send it again.")


def multipart() -> Refused:
    """The body is one that browsers make for files; the reference's clients never send such a one."""
    return Refused(
        415,
        "content_type",
        "Multipart bodies are not taken: send the parameters in the query string, in a form body "
        "(application/x-www-form-urlencoded) or as JSON bulk.",
    )


def overloaded(error: Overloaded) -> Refused:
    """More is being sent than this process may hold in memory."""
    return Refused(503, "overload", f"{error} Send it again later.")


def queue_unavailable() -> Refused:
    """Neither the queue nor the spool takes anything at the moment."""
    return Refused(503, "queue", "The queue cannot take requests at the moment: send it again later.")
