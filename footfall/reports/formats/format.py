"""What a format has to know."""

from typing import Protocol

from footfall.reports.answer import Answer


class Format(Protocol):
    """Writes answers and errors down."""

    @property
    def content_type(self) -> str:
        """The Content-Type of the answers it writes."""

    @property
    def error_content_type(self) -> str:
        """The Content-Type of the errors it writes."""

    def render(self, answer: Answer) -> bytes:
        """The body that says the answer."""

    def render_error(self, message: str) -> bytes:
        """The body that says why there is no answer."""
