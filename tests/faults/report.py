"""The result of a run, for people: in the terminal, and in docs/reliability.md."""

from pathlib import Path

from rich.table import Table

from faults.rig import Result

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
_BEGIN, _END = "<!-- written by the fault rig: begin -->\n", "<!-- written by the fault rig: end -->"


def _facts(result: Result) -> list[tuple[str, str]]:
    return [
        ("requests sent", f"{result.sent:,}"),
        ("acknowledged (2xx)", f"{result.acknowledged:,}"),
        ("refused (5xx)", f"{result.refused:,}"),
        ("left without an answer", f"{result.unanswered:,}"),
        ("recorded", f"{result.recorded:,}"),
        ("of these not acknowledged", f"{result.recorded_unacknowledged:,}"),
        ("**lost**", f"**{result.lost}**"),
        ("**doubled**", f"**{result.doubled}**"),
        ("actions overtaken by a later request of their visitor", f"{result.overtaken}"),
        ("actions overtaken while the disk of the spool was full and Redis away", f"{result.excused}"),
        ("visits, compared with an undisturbed recording", f"{result.visits:,}, all equal"),
        ("archives, compared likewise", f"{result.archives} with {result.records:,} records, all equal"),
    ]


def table(result: Result) -> Table:
    """The kinds and the figures, for a terminal."""
    shown = Table("fault", "injected", title=f"seed {result.plan.seed}, {result.seconds:.0f} s")
    for name, count in result.kinds.items():
        shown.add_row(name, str(count))
    shown.add_section()
    for name, figure in _facts(result) if not result.problems else _facts(result)[:-2]:
        shown.add_row(name.strip("*"), figure.strip("*"))
    return shown


def markdown(result: Result) -> str:
    """The same for the document."""
    total = sum(result.kinds.values())
    lines = [
        f"{result.began:%Y-%m-%d}, seed {result.plan.seed}: {total} faults in {result.seconds / 60:.0f} minutes at "
        f"{result.sent / result.seconds:.0f} requests a second, everything checked {result.checks} times.",
        "",
        "| fault | injected |",
        "|---|---|",
        *(f"| {name} | {count} |" for name, count in result.kinds.items()),
        "",
        f"The disk of the spool was {result.disk}.",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {figure} |" for name, figure in _facts(result)),
        "",
    ]
    return "\n".join(lines)


def write(result: Result) -> None:
    """Put the figures into the document, in the place of those of the last run."""
    text = DOCUMENT.read_text(encoding="utf-8")
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    assert begin and end, f"{DOCUMENT} has lost the marks between which the figures stand"
    DOCUMENT.write_text(before + begin + markdown(result) + end + after, encoding="utf-8")
