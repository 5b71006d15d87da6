"""Why a tracking request is not recorded."""


class Rejected(Exception):
    """This request cannot be recorded; the message is the reason, for a person.

    Args:
        reason: one sentence, kept with the dead letter.
        idsite: the site it was meant for, where it is known.
    """

    def __init__(self, reason: str, idsite: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.idsite = idsite
