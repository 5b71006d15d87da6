"""What a batch adds to the metrics."""

from collections.abc import Mapping

from footfall.metrics.declared import BATCH_REQUESTS, BATCH_SECONDS, DEAD, EXCLUDED, RECORDED, STEP_SECONDS
from footfall.metrics.metric import Tally
from footfall.metrics.steps import Step
from queue_workers.recording import Loaded


def count_batch(tally: Tally, loaded: Loaded, seconds: float, spent: Mapping[Step, float]) -> None:
    """Count a batch that is committed.

    Args:
        seconds: from reading it to its commit.
        spent: the seconds of each step.
    """
    tally.count(RECORDED, by=loaded.requests - loaded.dead - loaded.excluded.total())
    for reason, count in loaded.excluded.items():
        tally.count(EXCLUDED, reason, by=count)
    tally.count(DEAD, "rejected", by=loaded.dead - loaded.failed)
    tally.count(DEAD, "failed", by=loaded.failed)
    tally.observe(BATCH_REQUESTS, loaded.requests)
    tally.observe(BATCH_SECONDS, seconds)
    count_steps(tally, spent)


def count_steps(tally: Tally, spent: Mapping[Step, float]) -> None:
    """Count the seconds of each step."""
    for step, seconds in spent.items():
        tally.observe(STEP_SECONDS, seconds, step.value)
