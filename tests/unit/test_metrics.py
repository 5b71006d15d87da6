"""Metrics: their declaration, what is made from it, and how counts of many processes come together."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml_rs
from prometheus_client.parser import text_string_to_metric_families

from footfall.metrics import declared
from footfall.metrics.declared import METRICS
from footfall.metrics.metric import Counts, Kind, Metric, Tally
from footfall.metrics.steps import Step, Steps
from tracker_api.metrics import Snapshot, render

ROOT = Path(__file__).resolve().parent.parent.parent
REQUESTS = Metric("footfall_test_requests", Kind.COUNTER, "Help.", ("reason",))
SECONDS = Metric("footfall_test_seconds", Kind.HISTOGRAM, "Help.", ("step",), (0.1, 1.0, 10.0))


# The declaration


def test_every_metric_has_a_name_of_its_own_and_a_sentence_of_help() -> None:
    names = [name for metric in METRICS for name in metric.exported]
    assert len(names) == len(set(names)) > 40
    for metric in METRICS:
        assert re.fullmatch(r"footfall_[a-z_]+", metric.name) and not metric.name.endswith("_total")
        assert re.fullmatch(r"[A-Z0-9].+\.", metric.help), metric.name
        assert bool(metric.buckets) == (metric.kind is Kind.HISTOGRAM)
        assert sorted(set(metric.buckets)) == list(metric.buckets)


@pytest.fixture
def metrics_document(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import metrics_document

    yield metrics_document
    del sys.modules["metrics_document"]


def test_the_document_lists_the_metrics_as_they_are_declared(metrics_document: ModuleType) -> None:
    """`python tools/metrics_document.py` writes it anew when this fails."""
    assert (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8") == metrics_document.document()


def alert_rules() -> list[dict[str, Any]]:
    document: Any = yaml_rs.loads((ROOT / "docs" / "alerts.yml").read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("rule", alert_rules(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_is_about_declared_metrics_and_says_what_to_do(rule: dict[str, Any]) -> None:
    exported = {name: metric for metric in METRICS for name in metric.exported}
    asked = re.findall(r"\b(footfall_\w+|up)(?:\{([^}]*)\})?", rule["expr"])
    assert asked
    for name, matchers in asked:
        assert name in exported or name == "up"
        labels = exported[name].labels if name in exported else ("job",)
        assert set(re.findall(r"(\w+)\s*[=!]", matchers)) <= {*labels, "le"}
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert len(rule["annotations"]["summary"].split()) > 8


# Counts of many processes


def merged(*tallies: Tally) -> Counts:
    """The common counts after each process has added its own, as HINCRBY does."""
    common: dict[str, int] = {}
    for tally in tallies:
        for name, increment in tally.take().items():
            common[name] = common.get(name, 0) + increment
    return Counts(common)


def test_what_processes_count_adds_up() -> None:
    one, other = Tally(), Tally()
    one.count(REQUESTS, "idsite", by=3)
    other.count(REQUESTS, "idsite")
    other.count(REQUESTS, "a reason: with | and é")
    counts = merged(one, other)
    assert counts.values(REQUESTS) == {("idsite",): 4, ("a reason: with / and é",): 1}
    assert counts.of(REQUESTS, "idsite") == 4
    assert counts.of(REQUESTS, "never") == 0


def test_what_could_not_be_added_is_added_the_next_time() -> None:
    tally = Tally()
    tally.count(REQUESTS, "idsite")
    counts = tally.take()
    tally.count(REQUESTS, "idsite")
    tally.put_back(counts)
    assert merged(tally).of(REQUESTS, "idsite") == 2
    assert tally.take() == {}


def test_a_value_falls_into_the_bucket_that_it_is_not_above() -> None:
    one, other = Tally(), Tally()
    for value in (0.1, 0.05, 1.0):
        one.observe(SECONDS, value, "parse")
    other.observe(SECONDS, 99.5, "parse")
    (distribution,) = merged(one, other).distributions(SECONDS).values()
    assert [distribution.upto(bound) for bound in (0.1, 1.0, 10.0, float("inf"))] == [2, 3, 3, 4]
    assert distribution.sum == pytest.approx(100.65)


def test_what_other_versions_counted_is_understood_as_far_as_it_goes() -> None:
    counts = Counts(
        {
            "footfall_gone|a|b|c": 1,
            "footfall_test_requests": 7,
            "footfall_test_seconds|parse|0.5": 2,
            "footfall_test_seconds|parse|100.0": 3,
            "footfall_test_seconds|parse|sum": 4_000_000,
        }
    )
    assert counts.values(REQUESTS) == {}
    distribution = counts.distributions(SECONDS)[("parse",)]
    assert [distribution.upto(bound) for bound in (0.1, 1.0, 10.0, float("inf"))] == [0, 2, 2, 5]


def test_a_metric_has_a_bounded_number_of_series_whatever_was_counted() -> None:
    tally = Tally()
    for number in range(5000):
        tally.count(REQUESTS, f"reason {number}")
        tally.observe(SECONDS, 1.0, f"step {number}")
    counts = merged(tally)
    assert len(counts.values(REQUESTS)) <= 201
    assert sum(counts.values(REQUESTS).values()) == 5000
    assert len(counts.distributions(SECONDS)) <= 201
    assert sum(d.upto(float("inf")) for d in counts.distributions(SECONDS).values()) == 5000


# What Prometheus reads


def samples(snapshot: Snapshot) -> dict[str, dict[frozenset[tuple[str, str]], float]]:
    families = text_string_to_metric_families(render(snapshot).decode())
    found: dict[str, dict[frozenset[tuple[str, str]], float]] = {}
    for family in families:
        for sample in family.samples:
            found.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
    return found


def test_prometheus_reads_counters_gauges_and_cumulative_buckets() -> None:
    tally = Tally()
    tally.count(declared.DEAD, "failed", by=2)
    tally.count(declared.EXCLUDED, 'an "odd"\nreason\\', by=1)
    for seconds in (0.002, 0.03, 60.0):
        tally.observe(declared.STEP_SECONDS, seconds, "parse")
    snapshot = Snapshot(merged(tally))
    snapshot.set(declared.REDIS_UP, True)
    snapshot.set(declared.QUEUE_DEPTH, 7, "16-03")
    found = samples(snapshot)
    assert found["footfall_requests_dead_total"] == {frozenset({("outcome", "failed")}): 2}
    assert found["footfall_requests_excluded_total"] == {frozenset({("reason", 'an "odd"\nreason\\')}): 1}
    assert found["footfall_requests_recorded_total"] == {frozenset(): 0}
    assert found["footfall_redis_up"] == {frozenset(): 1}
    assert found["footfall_queue_depth"] == {frozenset({("shard", "16-03")}): 7}
    buckets = {dict(labels)["le"]: value for labels, value in found["footfall_batch_step_seconds_bucket"].items()}
    assert [buckets[bound] for bound in ("0.001", "0.0025", "0.05", "10.0", "+Inf")] == [0, 1, 2, 2, 3]
    assert found["footfall_batch_step_seconds_count"] == {frozenset({("step", "parse")}): 3}
    assert found["footfall_batch_step_seconds_sum"][frozenset({("step", "parse")})] == pytest.approx(60.032)
    assert found["footfall_batch_seconds_count"] == {frozenset(): 0}


def test_every_declared_metric_is_shown_with_its_kind_and_help_when_all_is_known() -> None:
    snapshot = Snapshot(Counts({}))
    for metric in METRICS:
        if metric.kind is Kind.GAUGE:
            snapshot.set(metric, 1, *("x" for _ in metric.labels))
    families = {family.name: family for family in text_string_to_metric_families(render(snapshot).decode())}
    assert {name: (family.type, family.documentation) for name, family in families.items()} == {
        metric.name: (metric.kind.value, metric.help) for metric in METRICS
    }


def test_without_redis_only_what_was_measured_is_shown() -> None:
    snapshot = Snapshot()
    snapshot.set(declared.REDIS_UP, False)
    assert samples(snapshot) == {"footfall_redis_up": {frozenset(): 0}}


# Steps


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_step_lasts_until_the_next_one_begins() -> None:
    time = Time()
    steps = Steps(time)
    steps.begin(Step.READ)
    for seconds, step in ((1.0, Step.PARSE), (2.0, Step.DEVICES), (4.0, Step.PARSE)):
        time.now += seconds
        steps.at(step)
    time.now += 8.0
    assert steps.take() == {Step.READ: 1.0, Step.PARSE: 10.0, Step.DEVICES: 4.0}
    time.now += 16.0
    assert steps.take() == {}


def test_a_batch_that_came_to_nothing_is_not_charged_to_the_next() -> None:
    time = Time()
    steps = Steps(time)
    steps.begin(Step.READ)
    time.now += 5.0
    steps.begin(Step.READ)
    time.now += 1.0
    assert steps.take() == {Step.READ: 1.0}
