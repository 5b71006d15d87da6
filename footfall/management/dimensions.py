"""CustomDimensions: what a site records about its visits and actions beside what is always recorded."""

from typing import Any

from footfall.entities.dimensions import SCOPES
from footfall.errors import InvalidInput
from footfall.management.access import VIEW, WRITE
from footfall.management.kinds import mappings, switch, whole, word
from footfall.management.method import Call, Method, Parameter

_IDSITE = Parameter("idSite", whole)
_NAME, _ACTIVE, _EXTRACTIONS = (
    Parameter("name", word),
    Parameter("active", switch),
    Parameter("extractions", mappings, ()),
)
_SCOPE_NAMES = {"visit": "Visit", "action": "Action"}
_EXTRACTION_NAMES = {"url": "Page URL", "urlparam": "Page URL Parameter", "action_name": "Page Title"}


def _create(call: Call) -> int:
    return call.entities.dimensions.create(
        call["idSite"], call["name"], call["scope"], call["active"], call["extractions"], call["caseSensitive"]
    )


def _update(call: Call) -> None:
    call.entities.dimensions.update(
        call["idSite"], call["idDimension"], call["name"], call["active"], call["extractions"], call["caseSensitive"]
    )


def _all(call: Call) -> list[dict[str, Any]]:
    call.entities.sites.find(call["idSite"])
    return call.entities.dimensions.all(call["idSite"])


def _having_scope(call: Call) -> list[dict[str, Any]]:
    if call["scope"] not in SCOPES:
        raise InvalidInput(f"The scope of a dimension is {' or '.join(SCOPES)}, not {call['scope']!r}.")
    return [dimension for dimension in _all(call) if dimension["scope"] == call["scope"]]


def _scopes(call: Call) -> list[dict[str, Any]]:
    call.entities.sites.find(call["idSite"])
    return [
        {
            "value": slots.scope,
            "name": _SCOPE_NAMES[slots.scope],
            "numSlotsAvailable": slots.available,
            "numSlotsUsed": slots.used,
            "numSlotsLeft": slots.available - slots.used,
            "supportsExtractions": slots.supports_extractions,
        }
        for slots in call.entities.dimensions.slots(call["idSite"])
    ]


def _extractions(_call: Call) -> list[dict[str, str]]:
    return [{"value": value, "name": name} for value, name in _EXTRACTION_NAMES.items()]


METHODS = (
    Method(
        "CustomDimensions.configureNewCustomDimension",
        WRITE,
        (_IDSITE, _NAME, Parameter("scope", word), _ACTIVE, _EXTRACTIONS, Parameter("caseSensitive", switch, True)),
        _create,
    ),
    Method(
        "CustomDimensions.configureExistingCustomDimension",
        WRITE,
        (
            Parameter("idDimension", whole),
            _IDSITE,
            _NAME,
            _ACTIVE,
            _EXTRACTIONS,
            Parameter("caseSensitive", switch, None),
        ),
        _update,
    ),
    Method("CustomDimensions.getConfiguredCustomDimensions", VIEW, (_IDSITE,), _all),
    Method(
        "CustomDimensions.getConfiguredCustomDimensionsHavingScope",
        VIEW,
        (_IDSITE, Parameter("scope", word)),
        _having_scope,
    ),
    Method("CustomDimensions.getAvailableScopes", WRITE, (_IDSITE,), _scopes),
    Method("CustomDimensions.getAvailableExtractionDimensions", VIEW, (_IDSITE,), _extractions),
)
