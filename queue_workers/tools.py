"""What a process drains with."""

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass

from footfall.changes import ChangeWatch
from footfall.clock import Clock
from footfall.database import Database
from footfall.metrics.metric import Tally
from footfall.metrics.steps import Steps
from footfall.options import Options
from footfall.queue import failures
from footfall.queue.backend import Backend, Drains
from footfall.queue.dead_letter_room import DeadLetterRoom
from footfall.queue.dead_letters import DeadLetters
from footfall.queue.offsets import Offsets
from footfall.replaying.kept import KeptRequests
from footfall.settings import Settings
from footfall.users import Users
from queue_workers.load_report import LoadReports
from queue_workers.recording import BatchRecording, Recorder


@dataclass(frozen=True)
class Patience:
    """How long a drain that found its list empty stays for what comes next.

    An RQ job costs about 4 ms of CPU and a transaction about as much, whether it carries one request or a hundred. So
    a job holds its worker for a while even when other shards wait: meanwhile requests gather there, and under light
    traffic on many shards the overhead stays below a tenth. When no other shard waits, staying costs next to nothing
    and spares the next request its job. Between two small batches a drain pauses four times as long as the last one
    took (10 to 100 ms), which bounds its share of the machine. A backlog is drained without any pause.

    Args:
        at_least: seconds that a turn lasts although other shards wait.
        idle: seconds without a new request after which a turn ends in any case.
    """

    at_least: float = 0.05
    idle: float = 0.25


PATIENT = Patience()
IMPATIENT = Patience(0.0, 0.0)


@dataclass(frozen=True)
class Tools:
    """What a process drains with.

    Args:
        steps: are told what is being done with a batch.
        tally: what is counted goes to the common counts with the next trim.
        watch: is shown the latest change before each batch.
        holder: the name of the process, for its leases.
        stopping: tells that the process is to end: the batch in hand is finished, the rest left to others.
    """

    queue: Backend
    recording: BatchRecording
    dead_letter_room: DeadLetterRoom
    kept: KeptRequests | None
    offsets: Offsets
    drains: Drains
    reports: LoadReports
    steps: Steps
    tally: Tally
    watch: ChangeWatch
    settings: Settings
    holder: str
    stopping: Callable[[], bool]
    patience: Patience = PATIENT


def new_tools(
    settings: Settings,
    clock: Clock,
    database: Database,
    queue: Backend,
    recorder: Recorder,
    *,
    stopping: Callable[[], bool] = lambda: False,
    patience: Patience = PATIENT,
) -> Tools:
    """The tools of this process."""
    offsets = Offsets(database, clock, queue.place)
    hash_token = Users(database, settings, clock).hash_token if settings.secret_key else None
    return Tools(
        queue=queue,
        recording=BatchRecording(
            database,
            recorder,
            offsets,
            DeadLetters(database, clock, hash_token),
            lambda count: failures.note(queue.board, count, settings.dead_letter_limit),
        ),
        dead_letter_room=DeadLetterRoom(database, clock, settings.dead_letter_bytes),
        kept=KeptRequests.of(settings, hash_token),
        offsets=offsets,
        drains=queue.drains,
        reports=LoadReports(Options(database), clock),
        steps=recorder.steps,
        tally=Tally(),
        watch=ChangeWatch(recorder.forget),
        settings=settings,
        holder=holder_name(os.getpid()),
        stopping=stopping,
        patience=patience,
    )


def holder_name(process: int) -> str:
    """The name of a process of this machine, for its leases and as an RQ worker."""
    return f"{socket.gethostname()}-{process}"
