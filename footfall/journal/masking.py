"""Keeps tokens and passwords out of what is written down."""

import re
from collections.abc import Mapping

from footfall.log import without_secrets

MASK = "***"
_NAME = re.compile(r"token|pass(?:word|wd)|secret|authori[sz]ation", re.IGNORECASE)
_TOKEN = re.compile(r"\b[0-9a-fA-F]{32,}\b")  # a token of Matomo's, or a hash of one


def masked(text: str) -> str:
    """The text without tokens, and without passwords that can be told by their name."""
    return _TOKEN.sub(MASK, without_secrets(text))


def masked_parameters(parameters: Mapping[str, str]) -> dict[str, str]:
    """The parameters of a request, those left empty that are secrets by their name or their form."""
    return {name: MASK if _NAME.search(name) else masked(value) for name, value in parameters.items()}
