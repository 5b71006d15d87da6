"""Why a tracking request is not recorded."""

from enum import IntEnum


class Failure(IntEnum):
    """What Matomo shows as a tracking failure, by its number in `tracking_failure`."""

    INVALID_SITE = 1
    NOT_AUTHENTICATED = 2


class Rejected(Exception):
    """This request cannot be recorded; the message is the reason, for a person.

    Args:
        reason: one sentence, kept with the dead letter.
        idsite: the site it was meant for, where it is known.
        failure: what Matomo calls it, where it has a number for it.
    """

    def __init__(self, reason: str, idsite: int | None = None, failure: Failure | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.idsite = idsite
        self.failure = failure


class Excluded(Exception):
    """This request is left out on purpose, as its site or a setting has it; it is counted by its reason, not kept.

    Args:
        reason: a few words, one of a small number (`excluded address`).
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
