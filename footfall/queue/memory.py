"""How much a process may hold in memory of what it was sent."""

from footfall.errors import FootfallError


class Overloaded(FootfallError):
    """More was sent at once than the process may hold: nothing of this request is kept, it has to be sent again."""


class Memory:
    """A budget of bytes, shared by all that gather requests in one process.

    Args:
        most: MAX_MEMORY_BYTES.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.held = 0

    def take(self, size: int) -> None:
        """Hold so many bytes more.

        Raises:
            Overloaded: they are not left.
        """
        if self.held + size > self._most:
            raise Overloaded("More requests wait here than may be held in memory (MAX_MEMORY_BYTES).")
        self.held += size

    def give(self, size: int) -> None:
        """Hold so many less."""
        self.held -= size
