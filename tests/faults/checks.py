"""What is in the log tables, held against what was sent: nothing lost, nothing doubled, each visitor's in order."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from faults.ledger import Answer, Entry, What, decode
from footfall.database import Database


@dataclass(frozen=True)
class Recorded:
    """A request as it was found in the log tables.

    Args:
        place: where it comes among all actions; None for a conversion, which has none.
        moment: its time, Unix seconds.
        idvisit: of its visit.
        pages_before: of a conversion, how many pages its visit had seen.
    """

    number: int
    place: int | None
    moment: int
    idvisit: int
    pages_before: int = 0


@dataclass
class Verdict:
    """What is wrong, by the numbers of requests.

    Args:
        lost: acknowledged and not recorded.
        doubled: recorded more than once.
        unsent: recorded, and nobody sent them.
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
    seconds = "TIMESTAMPDIFF(SECOND, '1970-01-01', server_time)"
    actions = database.query(
        f"SELECT idpageview, idlink_va, {seconds}, idvisit FROM log_link_visit_action ORDER BY idlink_va"
    )
    conversions = database.query(
        f"SELECT idgoal, url, idorder, {seconds}, idvisit, COALESCE(pageviews_before, 0) FROM log_conversion"
    )
    return [
        *(Recorded(decode(_text(id_)), place, moment, idvisit) for id_, place, moment, idvisit in actions),
        *(
            Recorded(_of_conversion(idgoal, url, order), None, moment, idvisit, pages)
            for idgoal, url, order, moment, idvisit, pages in conversions
        ),
    ]


def _of_conversion(idgoal: int, url: str | bytes, order: str | bytes | None) -> int:
    return int(_text(order or b"")[1:]) if idgoal == 0 else int(_text(url).rpartition("=")[2])


def _text(value: str | bytes | bytearray) -> str:
    return value if isinstance(value, str) else bytes(value).decode()


def judge(
    entries: Mapping[int, Entry], found: Sequence[Recorded], excuses: Iterable[tuple[float, float]] = ()
) -> Verdict:
    """Hold what was found against what was sent.

    Args:
        excuses: spans of the monotonic clock; what was answered in one may be overtaken.
    """
    counts = Counter(one.number for one in found)
    verdict = Verdict(
        lost=[n for n, entry in entries.items() if entry.answer is Answer.ACKNOWLEDGED and not counts[n]],
        doubled=[number for number, count in counts.items() if count > 1],
        unsent=[number for number in counts if number not in entries],
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


def in_recorded_order(
    entries: Mapping[int, Entry], found: Iterable[Recorded], excuses: Iterable[tuple[float, float]] = ()
) -> list[Recorded]:
    """What was found, each visitor's requests in the order in which they were recorded.

    That is the order of their numbers, unless the actions say otherwise or they were allowed to overtake each other.
    Then a conversion, which has no place of its own, goes behind as many pages of its visit as it counted.

    Args:
        excuses: as for `judge`.
    """
    spans, by_visitor = list(excuses), defaultdict(list)
    for one in found:
        by_visitor[entries[one.number].visitor].append(one)
    ordered: list[Recorded] = []
    for of_visitor in by_visitor.values():
        of_visitor.sort(key=lambda one: one.number)
        places = [one.place for one in of_visitor if one.place is not None]
        answers = [entries[one.number].answered_at for one in of_visitor]
        excused = any(begin <= at <= end for begin, end in spans for at in answers)
        ordered += _by_place(entries, of_visitor) if excused or places != sorted(places) else of_visitor
    return ordered


def _by_place(entries: Mapping[int, Entry], of_visitor: Sequence[Recorded]) -> list[Recorded]:
    ordered = sorted((one for one in of_visitor if one.place is not None), key=lambda one: one.place or 0)
    for one in of_visitor:
        if one.place is None:
            ordered.insert(_slot(entries, ordered, one), one)
    return ordered


def _slot(entries: Mapping[int, Entry], ordered: Sequence[Recorded], conversion: Recorded) -> int:
    """Where the conversion's visit has seen as many pages as it counted; of several places, the likeliest by number."""
    pages = 0
    slots = [] if conversion.pages_before else [0]
    for place, one in enumerate(ordered, 1):
        own = one.idvisit == conversion.idvisit
        pages += own and one.place is not None and entries[one.number].what is What.PAGE
        if pages == conversion.pages_before:
            slots.append(place)

    def out_of_order(slot: int) -> int:
        before, after = ordered[:slot], ordered[slot:]
        return sum(one.number > conversion.number for one in before) + sum(
            one.number < conversion.number for one in after
        )

    return min(slots, key=out_of_order, default=len(ordered))
