"""Where visitors are: continents, countries, regions and cities."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl
import pycountry
from babel import Locale

from footfall.archiving.datatable import DataTable, Row
from footfall.archiving.grouping import renamed
from footfall.archiving.records import Computed, NumericRecord, RecordBuilder
from footfall.archiving.segments import LOCATION, VISIT, SegmentName
from footfall.archiving.visit_metrics import (
    CONVERSION_READS,
    VISIT_READS,
    columns_by,
    conversions_by,
    visit_record,
    visits_by,
)
from footfall.errors import InvalidInput
from footfall.plugins import Plugin
from footfall.reports.listings import visits_listing
from footfall.reports.report import Listing, TableReport
from footfall.reports.rows import noted
from footfall.reports.segment_text import condition
from footfall.reports.source import Source

if TYPE_CHECKING:
    from footfall.archiving.daylog import DayLog

UNKNOWN: Final = "Unknown"
UNKNOWN_CODE: Final = "xx"

# Records

_COUNTRIES = visit_record("UserCountry_country")
_REGIONS = visit_record("UserCountry_region")
_CITIES = visit_record("UserCountry_city")
_SEPARATOR = "|"  # between the parts of a label: `Paris|IDF|fr`
_DIGITS = 3  # of coordinates


def _part(name: str) -> pl.Expr:
    return pl.col(f"location_{name}").fill_null("").str.replace_all(_SEPARATOR, "", literal=True)


def _labels() -> dict[str, pl.Expr]:
    """The labels of a place: a region has its country in it, a city its region; empty where it is not known."""
    country, region, city = map(_part, ("country", "region", "city"))
    country = pl.when(country == "").then(pl.lit(UNKNOWN_CODE)).otherwise(country)
    region = pl.when(region == "").then(pl.lit("")).otherwise(region + _SEPARATOR + country)
    city = pl.when(city == "").then(pl.lit("")).otherwise(city + _SEPARATOR + region)
    return {_COUNTRIES.name: country, _REGIONS.name: region, _CITIES.name: city}


_PLACE = {name: pl.col(name) for name in ("location_country", "location_region", "location_city")}
_COORDINATES = {name: pl.col(f"location_{name}").max() for name in ("latitude", "longitude")}
_LABELS = _labels()


def _location_tables(log: DayLog) -> Computed:
    """Rows are sums over places, visitors included: who was seen in two cities counts twice for their country."""
    visits = visits_by(log.visits, _PLACE, _COORDINATES).with_columns(**_LABELS)
    conversions = None
    if not log.conversions.is_empty():
        conversions = conversions_by(log.conversions, _PLACE).with_columns(**_LABELS)
    tables = {name: DataTable() for name in _LABELS}
    rows = columns_by(visits, conversions, *_LABELS, rows=lambda labels: zip(_LABELS, labels, strict=True))
    for (table, label), columns in rows.items():
        tables[table].rows.append(Row({"label": label, **columns}))
    positions = {city: (lat, long) for city, lat, long in visits.select(_CITIES.name, *_COORDINATES).rows() if city}
    for row in tables[_CITIES.name].rows:
        latitude, longitude = positions.get(row.columns["label"], (None, None))
        if latitude is not None and longitude is not None:
            row.metadata = {"lat": round(latitude, _DIGITS), "long": round(longitude, _DIGITS)}
    return tables


LOCATIONS = RecordBuilder(
    records=(
        _COUNTRIES,
        _REGIONS,
        _CITIES,
        NumericRecord("UserCountry_distinctCountries", rows_of=_COUNTRIES.name),
    ),
    reads={
        "log_visit": (
            *VISIT_READS,
            "location_country",
            "location_region",
            "location_city",
            "location_latitude",
            "location_longitude",
        ),
        "log_conversion": (*CONVERSION_READS, "location_country", "location_region", "location_city"),
    },
    compute=_location_tables,
)

# Names

# The countries of each continent as the reference counts them: with the Caribbean and Mexico in Central America.
_CONTINENTS: Final = {
    "Africa": "ac ao bf bi bj bw cd cf cg ci cm cv dj dz ea eg eh er et ga gh gm gn gq gw ic ke km lr ls ly ma mg "
    "ml mr mu mw mz na ne ng re rw sc sd sh sl sn so ss st sz ta td tg tn tz ug yt za zm zw",
    "Antarctica": "aq bv gs hm tf",
    "Asia": "ae af am az bd bh bn bt cc cn cx dg ge hk id il in io iq ir jo jp kg kh kp kr kw kz la lb lk mm mn "
    "mo mv my np om ph pk ps qa sa sg sy th tj tl tm tr tw uz vn ye",
    "Central America": "ag ai an aw bb bl bq bs bz cp cr cu cw dm do gd gp gt hn ht jm kn ky lc mf mq ms mx ni pa pr "
    "sv sx tc tt vc vg vi",
    "Europe": "ad al at ax ba be bg by ch cq cy cz de dk ee es fi fo fr gb gg gi gr hr hu ie im is it je li lt lu lv "
    "mc md me mk mt nl no pl pt ro rs ru se si sj sk sm ua va xk",
    "North America": "bm ca gl pm us",
    "Oceania": "as au ck fj fm gu ki mh mp nc nf nr nu nz pf pg pn pw sb tk to tv um vu wf ws",
    "South America": "ar bo br cl co ec fk gf gy pe py sr uy ve",
}


_CONTINENT_CODES: Final = {
    "Africa": "afr",
    "Antarctica": "ant",
    "Asia": "asi",
    "Central America": "amc",
    "Europe": "eur",
    "North America": "amn",
    "Oceania": "oce",
    "South America": "ams",
}


def country_name(code: str) -> str:
    """The English name of an ISO 3166-1 code in lower case."""
    return UNKNOWN if code == UNKNOWN_CODE else str(Locale("en").territories.get(code.upper(), UNKNOWN))


def region_name(country: str, region: str) -> str:
    """The name of an ISO 3166-2 code, its own country's."""
    found = pycountry.subdivisions.get(code=f"{country.upper()}-{region.upper()}")
    return str(found.name) if found is not None else UNKNOWN


@cache
def _continent_of() -> dict[str, str]:
    return {country: continent for continent, countries in _CONTINENTS.items() for country in countries.split()}


def continent_name(code: str) -> str:
    """The continent that a country is counted to."""
    return _continent_of().get(code, UNKNOWN)


def continent_code(code: str) -> str:
    """The three letters that segments and the log of visits have for it."""
    return _CONTINENT_CODES.get(continent_name(code), "unk")


# Reports

_FLAG_HEIGHT = 16  # pixels


def _countries(table: DataTable, source: Source) -> DataTable:
    return renamed(table, country_name, _country_metadata)


def _country_metadata(code: str) -> dict[str, Any]:
    return {"code": code, **_flag(code), **condition(("countryCode", code)), "logoHeight": _FLAG_HEIGHT}


def _flag(country: str) -> dict[str, str]:
    """Where a Matomo beside us keeps the flag of a country."""
    return {"logo": f"plugins/Morpheus/icons/dist/flags/{country}.png"}


def _continents(table: DataTable, source: Source) -> DataTable:
    return renamed(table, continent_name, lambda code: {"code": continent_name(code)})


def _regions(table: DataTable, source: Source) -> DataTable:
    return renamed(table, lambda label: _pretty(_place_of_region(label)), _region_metadata)


def _cities(table: DataTable, source: Source) -> DataTable:
    return renamed(table, lambda label: _pretty(_place_of_city(label)), _city_metadata)


class _Place(NamedTuple):
    """What a label says: codes of country and region; empty where it says nothing."""

    country: str
    region: str
    city: str = ""


def _place_of_region(label: str) -> _Place:
    region, _, country = label.partition(_SEPARATOR)
    return _Place(country, region)


def _place_of_city(label: str) -> _Place:
    city, _, region = label.partition(_SEPARATOR)
    return _place_of_region(region)._replace(city=city)


def _pretty(place: _Place) -> str:
    """The names, the smallest place first: `Paris|IDF|fr` is Paris, Île-de-France, France."""
    region = region_name(place.country, place.region) if place.region else ""
    country = country_name(place.country) if place.country else ""
    return ", ".join(name for name in (place.city, region, country) if name) or UNKNOWN


def _region_metadata(label: str) -> dict[str, Any]:
    place = _place_of_region(label)
    segment = condition(("regionCode", place.region), ("countryCode", place.country)) if label else {}
    return segment | _codes_and_names(place)


def _city_metadata(label: str) -> dict[str, Any]:
    place = _place_of_city(label)
    shown = _codes_and_names(place)
    if not label:
        return {"city_name": UNKNOWN, "city": UNKNOWN_CODE} | shown
    segment = condition(("city", place.city), ("regionCode", place.region), ("countryCode", place.country))
    return {"city_name": place.city} | segment | shown


def _codes_and_names(place: _Place) -> dict[str, str]:
    country, region = place.country or UNKNOWN_CODE, place.region or UNKNOWN_CODE
    return {
        "region": region,
        "country": country,
        "country_name": country_name(country),
        "region_name": region_name(country, region),
        **_flag(country),
    }


def _report(method: str, record: str, dimension: str, prepare: Callable[[DataTable, Source], DataTable]) -> TableReport:
    return TableReport(
        f"UserCountry.{method}",
        record=record,
        dimension=f"UserCountry_{dimension}",
        prepare=prepare,
        metadata=noted,
        listing=Listing(
            dimension, ("nb_visits", "nb_uniq_visitors", "nb_actions"), visits_listing("", with_goals=True).processed
        ),
    )


REPORTS = (
    _report("getCountry", _COUNTRIES.name, "Country", _countries),
    _report("getContinent", _COUNTRIES.name, "Continent", _continents),
    _report("getRegion", _REGIONS.name, "Region", _regions),
    _report("getCity", _CITIES.name, "City", _cities),
)

# Segments


def _country_code(name: str) -> str:
    codes = {str(known).lower(): str(code).lower() for code, known in Locale("en").territories.items()}
    code = codes.get(name.strip().lower())
    if code is None:
        raise InvalidInput(f"There is no country {name[:100]!r}: countryName takes English names, France say.")
    return code


SEGMENTS = (
    SegmentName("city", VISIT, "location_city", category=LOCATION),
    SegmentName(
        "continentCode",
        VISIT,
        "location_country",
        category=LOCATION,
        values={code: tuple(_CONTINENTS[name].split()) for name, code in _CONTINENT_CODES.items()},
    ),
    SegmentName("countryName", VISIT, "location_country", category=LOCATION, values=_country_code),
    SegmentName("countryCode", VISIT, "location_country", category=LOCATION),
    SegmentName("latitude", VISIT, "location_latitude", category=LOCATION),
    SegmentName("longitude", VISIT, "location_longitude", category=LOCATION),
    SegmentName("regionCode", VISIT, "location_region", category=LOCATION),
)

PLUGIN = Plugin("UserCountry", builders=(LOCATIONS,), reports=REPORTS, segments=SEGMENTS)
