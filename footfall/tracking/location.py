"""A place: where a visitor is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Location:
    """Where a visitor is; what is not known is None.

    Args:
        country: ISO 3166 code in lower case; "xx" when it is not known.
        region: ISO 3166-2 code of the subdivision, without the country.
        latitude, longitude: degrees.
    """

    country: str
    region: str | None = None
    city: str | None = None
    latitude: float | None = None
    longitude: float | None = None
