"""Contents: parts of pages (banners, say) that were seen, and what was done with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from footfall.archiving.blob import StoredTable
from footfall.archiving.datatable import Row
from footfall.archiving.hierarchy import make_tree
from footfall.archiving.paths import Paths
from footfall.archiving.records import BlobRecord, Computed, RecordBuilder
from footfall.archiving.segments import ACTION, BEHAVIOUR, SegmentName
from footfall.archiving.tree_rows import TreeRows
from footfall.plugins import Plugin
from footfall.reports.metrics import ratio
from footfall.reports.report import Listing, TableReport
from footfall.reports.segment_text import condition

if TYPE_CHECKING:
    from footfall.archiving.daylog import DayLog

# Records

_NAME, _PIECE = "name", "piece"
_COLUMNS: Final = {_NAME: "idaction_content_name", _PIECE: "idaction_content_piece"}
_TARGET, _INTERACTION = "idaction_content_target", "idaction_content_interaction"
_NO_PIECE = "Piwik_ContentPieceNotSet"
_RECORDS: Final = {
    (level, below): BlobRecord(f"Contents_{level}_{below}", 500, 500, sort_column="nb_impressions")
    for level, below in ((_NAME, _PIECE), (_PIECE, _NAME))
}
# Something that was only interacted with has nothing else.
_OF_IMPRESSIONS: Final = ("nb_uniq_visitors", "nb_visits", "nb_impressions")


def _content_tables(log: DayLog) -> Computed:
    contents = log.actions.filter(pl.col(_COLUMNS[_NAME]).is_not_null())
    keys = list(_COLUMNS.values())
    impressions = (
        contents.filter(pl.col(_INTERACTION).is_null())
        .group_by(*keys, _TARGET)
        .agg(
            nb_uniq_visitors=pl.col("idvisitor").n_unique(),
            nb_visits=pl.col("idvisit").n_unique(),
            nb_impressions=pl.len(),
        )
        .group_by(*keys)
        .agg(pl.sum(*_OF_IMPRESSIONS))
    )
    interactions = contents.filter(pl.col(_INTERACTION).is_not_null()).group_by(*keys).agg(nb_interactions=pl.len())
    rows = (
        impressions.join(interactions, on=keys, how="full", coalesce=True, nulls_equal=True)
        .with_columns(pl.col("nb_interactions").fill_null(0))
        .sort("nb_impressions", *keys, descending=[True, False, False], nulls_last=True)
    )
    return {record.name: _tree(log, rows, level, below) for (level, below), record in _RECORDS.items()}


def _tree(log: DayLog, rows: pl.DataFrame, level: str, below: str) -> StoredTable:
    """The table of a level; interactions with something that was never seen that day are left out, as in the reference.

    Source: conformance `archives`, Contents_piece_name of site 2.
    """
    seen = rows.filter(pl.col("nb_impressions").count().over(_COLUMNS[level]) > 0)
    labels = (log.names_of(seen[_COLUMNS[name]]).fill_null(_NO_PIECE).to_list() for name in (level, below))
    paths = list(zip(*labels, strict=True))
    tree = TreeRows(seen.drop(_COLUMNS.values()), Paths(paths), optional=frozenset(_OF_IMPRESSIONS))
    return make_tree(tree, _RECORDS[level, below])


CONTENTS = RecordBuilder(
    records=tuple(_RECORDS.values()),
    reads={"log_link_visit_action": ("idvisitor", *_COLUMNS.values(), _TARGET, _INTERACTION)},
    compute=_content_tables,
    occurs={"log_link_visit_action": (_COLUMNS[_NAME],)},
)

# Segments

# The types of log_action by what they are the names of.
_TYPES: Final = {"contentName": 13, "contentPiece": 14, "contentTarget": 15, "contentInteraction": 16}

SEGMENTS = tuple(
    SegmentName(
        name,
        ACTION,
        f"idaction_content_{name.removeprefix('content').lower()}",
        category=BEHAVIOUR,
        action_types=(kind,),
    )
    for name, kind in _TYPES.items()
)

# Reports

_RATE = ratio("interaction_rate", "nb_interactions", "nb_impressions", 4, "percent")


def _content_report(level: str, below: str) -> TableReport:
    noun = f"Content{level.capitalize()}"

    def metadata(row: Row) -> dict[str, Any]:
        return condition((f"content{level.capitalize()}", row.label))

    return TableReport(
        f"Contents.get{noun}s",
        record=_RECORDS[level, below].name,
        dimension=f"Contents_{noun}",
        shown_label=lambda label: "Content Piece not defined" if label == _NO_PIECE else label,
        processed=(_RATE,),
        metadata=metadata,
        nests=False,
        listing=Listing(
            f"Content {level.capitalize()}",
            ("nb_impressions", "nb_interactions"),
            (_RATE.name,),
            f"get{noun}s",
        ),
    )


REPORTS = tuple(_content_report(level, below) for level, below in _RECORDS)

PLUGIN = Plugin("Contents", builders=(CONTENTS,), reports=REPORTS, segments=SEGMENTS)
