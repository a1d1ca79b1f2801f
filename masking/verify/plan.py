"""What of a pair of texts of known shapes has to be looked at, so that most pairs pass without being taken apart.

A plan says nothing of faults: where a leaf is not as it must be, it has no answer, and the pair is looked at closely. Leaves
are compared as they are spelled; what is spelled alike is alike.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import msgspec
import numpy as np

from masking.verify.collect import people_of
from masking.verify.cut import ANY, UNTOLD, differing, moved
from masking.verify.judged import Vouching, judge_date
from masking.verify.leads import Link, fragments, narrative_links, owners
from masking.verify.outcome import Moved, Outcome
from masking.verify.passing import Added, At, Check, Leading, Named
from masking.verify.shapes import Text
from masking.verify.tree import SHIFT, Twig, told

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Plan:
    """What of a pair of shapes is looked at: leaves of the source and of the masked text by their numbers.

    kind: of a resource; "" for a part of one, whose owners nobody asks for. constant: kept values that are part of the shapes.
    vouched: system, before, after. own: its id. people: references to those whose it may be; None where identifiers tell.
    contains: whether there are resources within.
    """

    def __init__(self) -> None:
        self.kind = ""
        self.constant = 0
        self.kept: list[tuple[int, int]] = []
        self.vouched: list[tuple[int, int, At]] = []
        self.dates: list[tuple[Twig, int, int]] = []
        self.links: list[tuple[Leading, int, int]] = []
        self.narratives: list[tuple[str, int, int]] = []
        self.names: list[Named] = []
        self.checks: list[Check] = []
        self.own: At = None
        self.people: tuple[int, ...] | None = ()
        self.contains = False

    def settle(self) -> Plan:
        """Itself, once all is told."""
        pairs: dict[tuple[int, int], list[Check]] = {}
        for check in self.checks:
            if check.before is not None:
                pairs.setdefault((check.before, check.after), []).append(check)
        for leading, before, after in self.links:
            leading.checks = leading.checks or [check.judge for check in pairs.pop((before, after), [])]
            pairs.pop((before, after), None)
        self._links = [(leading, 2 * before, 2 * after) for leading, before, after in self.links]
        self._dates = [(twig, told(twig.path), one, two, pairs.pop((one, two), [])) for twig, one, two in self.dates]
        stays = {(before, after) for _, before, after in self.vouched if after is not None}
        for pair in sorted(stays):
            pairs.setdefault(pair, [])
        numbers = {pair: number for number, pair in enumerate(pairs)}
        self._vouched = [
            (2 * system, None if after is None else numbers[before, after]) for system, before, after in self.vouched
        ]
        kinds = [
            checks[0].judge.kind if len(checks) == 1 and pair not in stays else ANY for pair, checks in pairs.items()
        ]
        self._checks = [(2 * after, [check.judge for check in checks]) for (_, after), checks in pairs.items()]
        self._kept = np.array(self.kept, np.int32).ravel()
        self._pairs = np.array([(*pair, kind) for pair, kind in zip(pairs, kinds, strict=True)], np.int32).ravel()
        self._found = np.zeros(len(pairs) + 1, np.int32)
        self._date_pairs = np.array([(one, two) for _, one, two in self.dates], np.int32).ravel()
        self._days = np.zeros(len(self.dates) + 1, np.int32)
        self._added = [Added(checks) for checks in _runs([check for check in self.checks if check.before is None])]
        return self

    def outcome(self, source: Text, masked: Text, on: str, vouches: Vouching) -> Outcome | None:
        """What a pair gives; None where it has to be looked at closely. on: the reference date."""
        try:
            return self._outcome(source, masked, on, vouches)
        except msgspec.DecodeError:
            return None

    def _outcome(self, source: Text, masked: Text, on: str, vouches: Vouching) -> Outcome | None:
        count = differing(
            source.content, source.spans, masked.content, masked.spans, self._kept, self._pairs, self._found
        )
        if count < 0:
            return None
        was, old, now, new = source.document, source.ends, masked.document, masked.ends
        kept = self.constant + len(self.kept)
        changed = self._found[:count].tolist() if count else []
        for at, pair in self._vouched:
            if vouches.spelled(was[old[at] : old[at + 1]]):
                if pair is None or pair in changed:
                    return None
                kept += 1
        if not self._is_valid(masked, changed):
            return None
        links: list[Link] = []
        for leading, at, to in self._links:
            there = leading[was[old[at] : old[at + 1]], now[new[to] : new[to + 1]]]
            if there is None:
                return None
            links += there
        if self.kind and (self.contains or b'"#' in now) and fragments(self.kind, was, now):
            return None
        for path, before, after in self.narratives:
            links += narrative_links(path, source.leaf(before), masked.leaf(after))
        done = Outcome([], [], links, [name.link(source, masked) for name in self.names], kept)
        return done if not self._dates or self._date(source, masked, on, done) else None

    def _is_valid(self, masked: Text, changed: list[int]) -> bool:
        """Whether pairs that changed, and what is new, are as R4 has it."""
        document, ends = masked.document, masked.ends
        for number in changed:
            at, judges = self._checks[number]
            spelled = document[ends[at] : ends[at + 1]]
            for judge in judges:
                if not judge.passes(spelled):
                    return False
        return all(added.pass_in(masked) for added in self._added)

    def _date(self, source: Text, masked: Text, on: str, done: Outcome) -> bool:
        """Put dates that moved into `done`; whether all are as they must be.

        A full date whose time of day stayed is as valid as it was.
        """
        whose = self._whose(source) if self.kind else ()
        moved(source.content, source.spans, masked.content, masked.spans, self._date_pairs, self._days)
        for (twig, path, before, after, checks), days in zip(self._dates, self._days.tolist(), strict=False):
            if days != UNTOLD and twig.action == SHIFT:
                done.moved.append(Moved(path, days, whose))
                continue
            old, new = source.leaf(before), masked.leaf(after)
            spelled = masked.spelled(after, after)
            if source.spelled(before, before) != spelled and not all(one.judge.passes(spelled) for one in checks):
                return False
            judge_date(twig, old, new, on, done)
            if done.faults:
                return False
            if done.moved and not done.moved[-1].owners:
                done.moved[-1] = done.moved[-1]._replace(owners=whose)
        return True

    def _whose(self, source: Text) -> tuple[str, ...]:
        """Those whose dates may be, as `owners` tells."""
        if self.people is None:
            return owners(self.kind, _members(source.document))
        found = _people(tuple([source.leaf(one) for one in self.people]))
        return found or (("?",) if self.own is None else (f"{self.kind}/{source.leaf(self.own)}",))


def _runs(checks: list[Check]) -> Iterator[list[Check]]:
    """Those of leaves that follow each other, together."""
    run: list[Check] = []
    for check in sorted(checks, key=lambda one: one.after):
        if run and check.after > run[-1].after + 1:
            yield run
            run = []
        run.append(check)
    if run:
        yield run


@functools.lru_cache(50_000)
def _people(references: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(people_of(references)))
