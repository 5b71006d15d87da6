"""Many regular expressions over one text: which could match is found in one pass, then those are tried in order."""

import re
from collections import defaultdict
from collections.abc import Sequence

from ahocorasick_rs import AhoCorasick

from footfall.tracking.detection import literals

# A word of a user agent begins where no letter, digit, hyphen or underscore is before it.
_AT_A_WORD = r"(?:^|[^A-Z0-9_-]|[^A-Z0-9-]_|sprd-|MZ-)(?:{})"
_LOOK_BEHIND = re.compile(r"\(\?<!([^()]*\|[^()]*)\)")


class Pattern:
    """One regular expression at the start of a word of a user agent, compiled when it is first tried.

    Letters, digits and words are ASCII's, as in the reference.
    """

    __slots__ = ("_compiled", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        self._compiled: re.Pattern[str] | None = None

    def search(self, text: str) -> re.Match[str] | None:
        """The first match in the text."""
        if self._compiled is None:
            self._compiled = _compile(_AT_A_WORD.format(self.source))
        return self._compiled.search(text)


def _compile(source: str) -> re.Pattern[str]:
    return re.compile(_LOOK_BEHIND.sub(_each, source), re.IGNORECASE | re.ASCII)


def _each(look_behind: re.Match[str]) -> str:
    """`re` takes no look-behind of several lengths: one for each text, which says the same."""
    return "".join(f"(?<!{text})" for text in look_behind.group(1).split("|"))


class Patterns:
    """Patterns of which the first one that matches counts.

    Args:
        sources: regular expressions; a pattern's number is its place here.
    """

    def __init__(self, sources: Sequence[str]) -> None:
        self.all = [Pattern(source) for source in sources]
        self._always: list[int] = []
        by_text: dict[str, list[int]] = defaultdict(list)
        for number, source in enumerate(sources):
            clause = literals.strongest(literals.clauses(source))
            if clause is None:
                self._always.append(number)
            else:
                for text in clause:
                    by_text[text].append(number)
        self._numbers = list(by_text.values())
        self._automaton = AhoCorasick(list(by_text)) if by_text else None

    def candidates(self, text: str) -> list[int]:
        """The numbers of the patterns that may match the text, ascending; none of the others does."""
        numbers = set(self._always)
        if self._automaton is not None:
            for hit in {hit[0] for hit in self._automaton.find_matches_as_indexes(text.lower(), overlapping=True)}:
                numbers.update(self._numbers[hit])
        return sorted(numbers)

    def first(self, text: str) -> tuple[int, re.Match[str]] | None:
        """The number and the match of the first pattern that matches the text."""
        for number in self.candidates(text):
            match = self.all[number].search(text)
            if match is not None:
                return number, match
        return None
