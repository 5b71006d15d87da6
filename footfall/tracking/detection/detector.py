"""All that a user agent and its client hints say."""

import re
from typing import NamedTuple

from footfall.tracking.detection.bytewise import bytewise, readable
from footfall.tracking.detection.clients import Client, find_client
from footfall.tracking.detection.hardware import Hardware, find_hardware, restored
from footfall.tracking.detection.hints import ClientHints
from footfall.tracking.detection.rules import agent_rules
from footfall.tracking.detection.systems import System, find_system

_LETTER = re.compile("[a-zA-Z]")


class Detection(NamedTuple):
    """A user agent, understood: a bot, or its system, client and device."""

    is_bot: bool = False
    system: System = System()
    client: Client = Client()
    hardware: Hardware = Hardware()


def detect(user_agent: str, hints: ClientHints | None = None) -> Detection:
    """What a user agent says, with its client hints."""
    if hints is None and not _LETTER.search(user_agent):
        return Detection()
    text = bytewise(user_agent)
    reading = agent_rules().read(text)
    if reading.first("bot") is not None:
        return Detection(is_bot=True)
    whole = restored(text, hints)
    system = find_system(reading if whole == text else agent_rules().read(whole), hints)
    client = find_client(reading, hints)
    hardware = find_hardware(text, hints, system, client)
    return Detection(
        False, System(*map(readable, system)), Client(*map(readable, client)), Hardware(*map(readable, hardware))
    )
