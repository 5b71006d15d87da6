"""Writes docs/metrics.md from the declaration of the metrics: `python tools/metrics_document.py`."""

from pathlib import Path

from footfall.metrics.declared import METRICS
from footfall.metrics.metric import Metric

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "metrics.md"
HEAD = """# Metrics

What `/metrics` shows, in Prometheus's text format. Made from `footfall/metrics/declared.py` by
`python tools/metrics_document.py`; a test holds the two together. [operations.md](operations.md) says what to watch,
[alerts.yml](alerts.yml) has rules.

Counters and histograms are the sums over all processes of all machines, and every endpoint shows the same. They lie in
Redis: with a Redis that was emptied they begin anew, which Prometheus takes for a restart. Gauges are measured when
they are asked for; those of the spool are of the machine that answers, those that only the database knows are up to
ten seconds old. What cannot be known, because Redis or the database is away, is left out.

A histogram named `x` has the samples `x_bucket`, `x_sum` and `x_count`.

| name | kind | labels | what it is |
|---|---|---|---|
"""


def document() -> str:
    """The whole document."""
    return HEAD + "".join(map(_row, METRICS))


def _row(metric: Metric) -> str:
    name = metric.exported[0] if len(metric.exported) == 1 else metric.name
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"| `{name}` | {metric.kind} | {labels} | {metric.help} |\n"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
