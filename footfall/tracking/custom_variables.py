"""Custom variables: up to five pairs of name and value, of the visit (`_cvar`) or of the action (`cvar`)."""

from footfall.tracking.parameters import Parameters, json_value, plain, text_of

SLOTS = 5
COLUMNS = tuple(f"custom_var_{part}{slot}" for slot in range(1, SLOTS + 1) for part in "kv")
_LENGTH = 200


def read(parameters: Parameters, parameter: str) -> dict[str, str]:
    """The columns and their values; a pair that cannot be used is passed over (conformance: bad custom variables)."""
    if parameter not in parameters:
        return {}
    given = json_value(parameters, parameter)
    if isinstance(given, list):
        given = {str(slot): pair for slot, pair in enumerate(given)}
    if not isinstance(given, dict):
        return {}
    columns = {}
    for slot, pair in given.items():
        if slot.isascii() and slot.isdigit() and 1 <= int(slot[:9]) <= SLOTS and _is_pair(pair):
            for part, value in zip("kv", pair, strict=True):
                columns[f"custom_var_{part}{int(slot)}"] = plain(text_of(value).strip())[:_LENGTH]
    return columns


def _is_pair(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(part, str | int | float) and not isinstance(part, bool) for part in value)
    )
