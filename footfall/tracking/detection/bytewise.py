"""Texts with one character for each of their UTF-8 bytes: the rules look at bytes, as the reference does."""


def bytewise(text: str) -> str:
    """The text with a character for each of its bytes."""
    return text if text.isascii() else text.encode("utf-8", "surrogatepass").decode("latin-1")


def readable(text: str) -> str:
    """A bytewise text, or a part of one, as it was; bytes that are no UTF-8 any more become U+FFFD."""
    return text if text.isascii() else text.encode("latin-1").decode("utf-8", "replace")
