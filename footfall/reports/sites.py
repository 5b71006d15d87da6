"""Reads the sites that reports can be about."""

from collections.abc import Sequence

from footfall.database import Database
from footfall.reports.site import ReportDimension, ReportGoal, ReportSite


class ReportSites:
    """Reads which sites there are; for one thread, as its database is."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def sites(self, idsites: Sequence[int] | None = None) -> dict[int, ReportSite]:
        """Those of these sites that exist, or all sites, in the order of idsite."""
        if idsites is not None and not idsites:
            return {}
        condition = "" if idsites is None else f"AND idsite IN ({', '.join(['%s'] * len(idsites))})"
        values = tuple(idsites or ())
        goals: dict[int, list[ReportGoal]] = {}
        for idsite, idgoal, name in self._rows("goal", "idsite, idgoal, name", f"deleted = 0 {condition}", values):
            goals.setdefault(idsite, []).append(ReportGoal(idgoal, name))
        dimensions: dict[int, list[ReportDimension]] = {}
        for idsite, number, index, scope, name, active in self._rows(
            "custom_dimensions", "idsite, idcustomdimension, `index`, scope, name, active", f"TRUE {condition}", values
        ):
            found = ReportDimension(number, index, scope, name, bool(active))
            dimensions.setdefault(idsite, []).append(found)
        columns = "idsite, name, main_url, timezone, currency, ecommerce, sitesearch"
        return {
            row[0]: ReportSite(
                idsite=row[0],
                name=row[1],
                main_url=row[2],
                timezone=row[3],
                currency=row[4],
                ecommerce=bool(row[5]),
                sitesearch=bool(row[6]),
                goals=tuple(goals.get(row[0], ())),
                dimensions=tuple(dimensions.get(row[0], ())),
            )
            for row in self._rows("site", columns, f"TRUE {condition}", values)
        }

    def _rows(self, table: str, columns: str, condition: str, values: tuple[int, ...]) -> list[tuple]:
        return self._database.query(
            f"SELECT {columns} FROM {self._database.table(table)} WHERE {condition} ORDER BY 1, 2", values
        )
