"""PHP's serialization of scalars and arrays, byte for byte as PHP writes it.

Only what archives hold is read: null, booleans, integers, floats, strings and arrays. Objects, references and anything
else are refused, so nothing is ever constructed from stored data. Strings are UTF-8 text; an array is a dict, whose
keys are integers and strings.
"""

from __future__ import annotations

from math import isinf, isnan
from typing import Any

from footfall.errors import FootfallError

_DEPTH = 32
_MOST_DIGITS = 17  # digits before the decimal point up to which PHP writes no exponent


class NotSerialized(FootfallError):
    """The bytes are not a PHP serialization of scalars and arrays."""


def dumps(value: Any) -> bytes:
    """Serialize None, bool, int, float, str, bytes, dict (in its order) or list (keys from 0).

    Raises:
        TypeError: the value, or one inside it, is of another type.
    """
    out: list[bytes] = []
    _write(value, out)
    return b"".join(out)


def _write(value: Any, out: list[bytes]) -> None:
    kind = type(value)
    if kind is int:
        out.append(b"i:%d;" % value)
    elif kind is str:
        data = value.encode("utf-8", "surrogateescape")
        out.append(b's:%d:"%b";' % (len(data), data))
    elif value is None:
        out.append(b"N;")
    elif kind is float:
        out.append(b"d:%b;" % float_text(value).encode())
    elif kind is dict:
        out.append(b"a:%d:{" % len(value))
        for key, item in value.items():
            out.append(dump_key(key))
            _write(item, out)
        out.append(b"}")
    elif kind is bool:
        out.append(b"b:1;" if value else b"b:0;")
    elif kind is bytes:
        out.append(b's:%d:"%b";' % (len(value), value))
    elif kind is list:
        _write(dict(enumerate(value)), out)
    else:
        raise TypeError(f"cannot serialize {kind.__name__}")


def dump_key(key: int | str) -> bytes:
    """Serialize the key of an array.

    Raises:
        TypeError: the key is neither an integer nor a string.
    """
    if type(key) is int:
        return b"i:%d;" % key
    if type(key) is not str:
        raise TypeError(f"an array key must be an integer or a string, not {type(key).__name__}")
    if key.isascii() and key.lstrip("-").isdigit() and str(int(key)) == key and -(2**63) <= int(key) < 2**63:
        return b"i:%b;" % key.encode()  # PHP arrays have no string key that reads as an integer
    data = key.encode("utf-8", "surrogateescape")
    return b's:%d:"%b";' % (len(data), data)


def float_text(value: float) -> str:
    """A float as PHP 7.1 and later serialize it: the shortest digits that give the same float back."""
    if isnan(value):
        return "NAN"
    if isinf(value):
        return "INF" if value > 0 else "-INF"
    sign, digits, exponent = _decimal(value)
    if not digits:
        return f"{sign}0"
    point = len(digits) + exponent  # digits before the decimal point
    if -3 <= point <= _MOST_DIGITS:
        if point <= 0:
            return f"{sign}0.{'0' * -point}{digits}"
        if exponent >= 0:
            return f"{sign}{digits}{'0' * exponent}"
        return f"{sign}{digits[:point]}.{digits[point:]}"
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{point - 1:+d}"


def _decimal(value: float) -> tuple[str, str, int]:
    """Sign, significant digits without trailing zeros, and the power of ten they are multiplied by."""
    mantissa, _, power = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = whole + fraction
    exponent = int(power or 0) - len(fraction)
    stripped = digits.rstrip("0")
    exponent += len(digits) - len(stripped)
    return "-" if str(value).startswith("-") else "", stripped.lstrip("0"), exponent


def loads(data: bytes) -> Any:
    """The value of a PHP serialization; arrays become dicts, strings become text.

    Raises:
        NotSerialized: the bytes are cut short, have something after their end, or hold more than scalars and arrays.
    """
    try:
        value, end = _read(data, 0, 0)
    except (ValueError, IndexError, OverflowError) as error:
        raise NotSerialized(f"The stored record is not a readable PHP array ({error}): archive it again.") from None
    if end != len(data):
        raise NotSerialized("The stored record has bytes after its end: archive it again.")
    return value


def read_pair(data: bytes, at: int) -> tuple[int | str, Any, int]:
    """A key and its value inside the serialization of an array, and where they end.

    Args:
        at: where the key begins.

    Raises:
        NotSerialized: as for `loads`.
    """
    try:
        key, at = _read_key(data, at, 1)
        value, at = _read(data, at, 1)
    except (ValueError, IndexError, OverflowError) as error:
        raise NotSerialized(f"The stored record is not a readable PHP array ({error}): archive it again.") from None
    return key, value, at


def _read(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    if data[at : at + 2] == b"a:":
        return _read_array(data, at, depth + 1)
    end = data.index(b";", at)
    token = data[at:end]
    if token in _SEEN:
        return _SEEN[token], end + 1
    if token[:2] == b"s:":
        return _read_text(data, at)
    return _remembered(token, _number(token)), end + 1


# Tables repeat column ids, column names and small numbers in every row. A token up to its semicolon says by itself
# whether it is complete, so one that was read before means the same everywhere.
_SEEN: dict[bytes, Any] = {}
_KEYS: dict[bytes, int | str] = {}
_MOST_SEEN = 50_000
_LONGEST_SEEN = 48


def _remembered(token: bytes, value: Any) -> Any:
    if len(token) <= _LONGEST_SEEN:
        if len(_SEEN) >= _MOST_SEEN:
            _SEEN.clear()
        _SEEN[token] = value
    return value


def _number(token: bytes) -> int | float | bool | None:
    kind, text = token[:2], token[2:]
    if kind == b"i:" and text.removeprefix(b"-").isdigit():
        return int(text)
    if kind == b"d:" and b"_" not in text:
        return float(text)
    if token == b"N":
        return None
    if kind == b"b:" and text in (b"0", b"1"):
        return text == b"1"
    raise ValueError(f"unexpected {token[:20]!r}")


def _read_text(data: bytes, at: int) -> tuple[str, int]:
    colon = data.index(b":", at + 2)
    start = colon + 2
    end = start + _size(data[at + 2 : colon])
    if data[colon + 1 : start] != b'"' or data[end : end + 2] != b'";':
        raise ValueError(f"no string of the stated length at byte {at}")
    text = data[start:end].decode("utf-8", "surrogateescape")
    return (text if b";" in data[start:end] else _remembered(data[at : end + 1], text)), end + 2


def _read_array(data: bytes, at: int, depth: int) -> tuple[dict[int | str, Any], int]:
    if depth > _DEPTH:
        raise ValueError(f"arrays deeper than {_DEPTH}")
    colon = data.index(b":", at + 2)
    size, at = _size(data[at + 2 : colon]), colon + 2
    if data[colon + 1 : at] != b"{":
        raise ValueError(f"no array at byte {colon}")
    found: dict[int | str, Any] = {}
    seen, keys, find = _SEEN, _KEYS, data.find
    for _ in range(size):
        end = find(b";", at)
        key = keys.get(data[at:end])
        if key is None:
            key, at = _read_key(data, at, depth)
        else:
            at = end + 1
        end = find(b";", at)
        value = seen.get(data[at:end], found)
        if value is found:
            value, at = _read(data, at, depth)
        else:
            at = end + 1
        found[key] = value
    if data[at : at + 1] != b"}":
        raise ValueError(f"an array that does not end at byte {at}")
    return found, at + 1


def _read_key(data: bytes, at: int, depth: int) -> tuple[int | str, int]:
    if data[at : at + 2] not in (b"i:", b"s:"):
        raise ValueError(f"no array key at byte {at}")
    key, end = _read(data, at, depth)
    if end - at <= _LONGEST_SEEN and data.index(b";", at) == end - 1:
        if len(_KEYS) >= _MOST_SEEN:
            _KEYS.clear()
        _KEYS[data[at : end - 1]] = key
    return key, end


def _size(digits: bytes) -> int:
    if not digits.isdigit():
        raise ValueError(f"no length: {digits[:20]!r}")
    return int(digits)
