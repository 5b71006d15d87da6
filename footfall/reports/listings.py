"""What API.getReportMetadata says about reports of visit columns."""

from footfall.reports.report import Listing

_METRICS = ("nb_visits", "nb_uniq_visitors", "nb_actions", "nb_users")
_PROCESSED = ("nb_actions_per_visit", "avg_time_on_site", "bounce_rate")


def visits_listing(
    dimension: str, *, with_goals: bool = False, subtable: str | None = None, constant_rows: bool = False
) -> Listing:
    """The listing of a report whose rows have the visit columns.

    Args:
        dimension: what a row is, in words.
        with_goals: whether rows have goal columns; clients then ask for rates by goal, not for one of all goals.
        subtable: the method, without its plugin, that answers for the rows below one.
        constant_rows: whether the report has the same rows whatever happened.
    """
    processed = _PROCESSED if with_goals else (*_PROCESSED, "conversion_rate")
    return Listing(dimension, _METRICS, processed, subtable, constant_rows)
