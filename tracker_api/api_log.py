"""API calls in the journal (LOG_TO_DATABASE=api_calls): what was asked, by whom, and how long it took."""

from collections.abc import Mapping
from ipaddress import ip_address

from footfall.archiving.phpserialize import dumps
from footfall.clock import Clock
from footfall.journal.journal import Journal
from footfall.journal.kinds import Kind
from footfall.journal.masking import masked, masked_parameters

_LEFT_OUT = {"module", "method"}  # in columns of their own, or the same for all
_MOST_PARAMETERS = 50
_NAME = 100
_VALUE = 500
_WORD = 255


class ApiLog:
    """Writes calls down."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock

    def note(self, parameters: Mapping[str, str], seconds: float, address: str, error: str) -> None:
        """A call was answered.

        Args:
            parameters: as given; tokens and passwords are not written down.
            seconds: how long the answer took, waiting for archives included.
            address: the caller's.
            error: what was wrong; empty for a call that was answered. Other answers are not written down.
        """
        self._journal.add(Kind.API_CALLS, lambda: self._values(parameters, seconds, address, error))

    def _values(self, parameters: Mapping[str, str], seconds: float, address: str, error: str) -> tuple[object, ...]:
        class_name, _, method_name = parameters.get("method", "").partition(".")
        given = [(name, value) for name, value in parameters.items() if name not in _LEFT_OUT][:_MOST_PARAMETERS]
        safe = masked_parameters(dict(given))
        # As the older documents have them: names with their defaults, and values, serialized by PHP.
        return (
            masked(class_name)[:_WORD],
            masked(method_name)[:_WORD],
            _serialized({name[:_NAME]: None for name in safe}),
            _serialized([value[:_VALUE] for value in safe.values()]),
            seconds * 1000,
            _packed(address),
            self._clock.now().replace(tzinfo=None, microsecond=0),
            masked(error)[:_VALUE] or None,
        )


def _serialized(value: object) -> str:
    return dumps(value).decode("utf-8", "replace")


def _packed(address: str) -> bytes | None:
    try:
        return ip_address(address).packed
    except ValueError:
        return None
