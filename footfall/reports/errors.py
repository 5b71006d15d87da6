"""What a caller of the Reporting API is told when there is no answer."""

from footfall.errors import FootfallError


class ReportError(FootfallError):
    """A report request that cannot be answered.

    Args:
        message: one or two sentences for the caller: what is wrong and what to do.
        status: the HTTP status. The reference answers most errors with 200 (conformance `shapes`: unknown site,
            period, date), an unknown method with 400 and a token it does not know with 401.
    """

    def __init__(self, message: str, status: int = 200) -> None:
        super().__init__(message)
        self.status = status
