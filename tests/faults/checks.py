"""What is in the log tables, held against what was sent: nothing lost, nothing doubled, each visitor's in order."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from faults.ledger import Answer, Entry, decode
from footfall.database import Database


@dataclass(frozen=True)
class Recorded:
    """A request as it was found in the log tables.

    Args:
        place: where it comes among all actions; None for a conversion, which has none.
    """

    number: int
    place: int | None


@dataclass
class Verdict:
    """What is wrong, by the numbers of requests.

    Args:
        lost: acknowledged or in the queue, and not recorded.
        doubled: recorded more than once.
        unsent: recorded, and nobody sent them, or they were never in the queue.
        overtaken: acknowledged before another of the same visitor was sent, and recorded after it.
        excused: the same, while Footfall says that it may happen.
    """

    lost: list[int] = field(default_factory=list)
    doubled: list[int] = field(default_factory=list)
    unsent: list[int] = field(default_factory=list)
    overtaken: list[int] = field(default_factory=list)
    excused: list[int] = field(default_factory=list)

    @property
    def complaints(self) -> list[str]:
        """A sentence for each thing that is wrong."""
        wrong = {
            "lost": self.lost,
            "doubled": self.doubled,
            "recorded and never sent": self.unsent,
            "overtaken by a later request of their visitor": self.overtaken,
        }
        return [f"{len(numbers)} {what}: {numbers[:10]}" for what, numbers in wrong.items() if numbers]


def recorded(database: Database) -> list[Recorded]:
    """Everything in the log tables that carries a number."""
    actions = database.query("SELECT idpageview, idlink_va FROM log_link_visit_action ORDER BY idlink_va")
    conversions = database.query("SELECT idgoal, url, idorder FROM log_conversion")
    return [
        *(Recorded(decode(_text(pv_id)), place) for pv_id, place in actions),
        *(Recorded(_of_conversion(*conversion), None) for conversion in conversions),
    ]


def _of_conversion(idgoal: int, url: str | bytes, order: str | bytes | None) -> int:
    return int(_text(order or b"")[1:]) if idgoal == 0 else int(_text(url).rpartition("=")[2])


def _text(value: str | bytes | bytearray) -> str:
    return value if isinstance(value, str) else bytes(value).decode()


def judge(
    entries: Mapping[int, Entry],
    queued: Collection[int],
    found: Sequence[Recorded],
    excuses: Iterable[tuple[float, float]] = (),
) -> Verdict:
    """Hold what was found against what was sent.

    Args:
        queued: the numbers of what was ever in the queue.
        excuses: spans of the monotonic clock; what was answered in one may be overtaken.
    """
    counts = Counter(one.number for one in found)
    acknowledged = {number for number, entry in entries.items() if entry.answer is Answer.ACKNOWLEDGED}
    verdict = Verdict(
        lost=[number for number in sorted({*acknowledged, *queued}) if not counts[number]],
        doubled=[number for number, count in counts.items() if count > 1],
        unsent=[number for number in counts if number not in entries or number not in queued],
    )
    spans = list(excuses)
    places: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for one in found:
        if one.place is not None and one.number in entries:
            places[entries[one.number].visitor].append((one.place, one.number))
    for of_visitor in places.values():
        in_order = [entries[number] for _, number in sorted(of_visitor)]
        for place, later in enumerate(in_order):
            for earlier in in_order[place + 1 :]:
                if earlier.number < later.number and earlier.answer is Answer.ACKNOWLEDGED:
                    answered = (earlier.answered_at, later.answered_at)
                    excused = any(begin <= at <= end for begin, end in spans for at in answered)
                    (verdict.excused if excused else verdict.overtaken).append(earlier.number)
    return verdict
