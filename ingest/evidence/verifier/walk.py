"""A walk along the leaves of a site that holds what is there against them, wherever it comes from.

Rows make the leaf, leaves the chain and the tree of each hour, hours are held against what was stated and signed. What does
not match is told row by row where the locators can tell. The walk goes on with what was kept, so an altered row
is one finding, not everything after it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from .chain import Chain, Hour, Note
from .hashes import leaf_hash, statement
from .layout import PLAN, TABLES, key_of
from .locating import Finding, compare, read_locators
from .signature import is_valid

LEAF, HOUR, COMMIT, NOTE = "evidence_leaf", "evidence_hour", "ingest_commit", "evidence_note"
NOTED = {1: "point", 2: "kpi", 3: "source", PLAN: "plan_version"}
Commit = tuple[int, ...]
"""batch_no, epoch, known_at, plan_version, watermark (NO_WATERMARK: none yet), readings; instants in µs."""


class Leaf(NamedTuple):
    """A batch's leaf as it was kept."""

    commit: Commit
    leaf: bytes
    locators: bytes


class StoredHour(NamedTuple):
    """An hour as it was kept, with its signature if it has one."""

    hour: Hour
    public_key: bytes | None
    signature: bytes | None


class Held(NamedTuple):
    """What is there of a batch."""

    commit: Commit | None
    hashed: Sequence[tuple[int, int, bytes]]
    """Per table with rows: its number, count, hash."""
    locators: bytes
    rows: Callable[[], dict[int, list[bytes]]]
    """Canonical bytes of the rows in canonical order, by table."""

    def leaf(self, commit: Commit) -> bytes:
        """The leaf that the rows make with a commit."""
        return leaf_hash(commit, self.hashed)


NOTHING = Held(None, (), b"", dict)


@dataclass(slots=True)
class Tally:
    """What was verified, and what was found."""

    leaves: int = 0
    signed_hours: int = 0
    unsigned_hours: int = 0
    trailing_hours: int = 0
    """Those not signed with no signed one after them: whoever can write can have made them."""
    open_batches: int = 0
    """Batches of an hour that is not over: nothing is stated of it yet."""
    let_go: int = 0
    """Commit rows that are no more, as the plan file asks for it."""
    keys: set[str] = field(default_factory=set)
    """Public keys of the signatures, in hex."""
    findings: list[Finding] = field(default_factory=list)


def not_vouched(tally: Tally, key: str) -> list[str]:
    """What is not signed with a key, in hex: a sentence each. What a later signed hour covers by the chain is."""
    keys = sorted(tally.keys)
    found = [] if keys == [key.lower()] else [f"signed with {', '.join(keys) or 'no key'}, not with {key}"]
    if keys and tally.trailing_hours:
        found.append(f"the last {tally.trailing_hours} hours are not signed, and no signed one follows them")
    return found


class Walk:
    """Verifies batches of one site, in order."""

    def __init__(
        self,
        site: str,
        chain: Chain,
        hours: Iterable[StoredHour],
        notes: Mapping[int, Sequence[Note]],
        commits_from: int = 0,
    ) -> None:
        """`chain` as it was before the first batch; `hours` are those to be met; `notes` all there are, by batch.

        Commit rows of batches before `commits_from` may be missing.
        """
        self._site = site
        self._chain = chain
        self._hours = {one.hour.hour_at: one for one in hours}
        self._notes = notes
        self._commits_from = commits_from
        self.tally = Tally()

    def names(self, now: Mapping[tuple[int, int], str]) -> None:
        """Hold what is said now of (kind, number) against the newest note, a plan version against all.

        Ids are renamed, versions never change. Ingest notes what it finds when it takes the site: a version that was
        altered before would else be noted as right.
        """
        noted: dict[tuple[int, int], set[str]] = {}
        for batch in sorted(self._notes):
            for one in self._notes[batch]:
                kept = noted.get((one.kind, one.number), set()) if one.kind == PLAN else set()
                noted[one.kind, one.number] = kept | {one.said}
        for (kind, number), said in noted.items():
            if kind in NOTED and {now.get((kind, number))} != said:
                what = "altered" if (kind, number) in now else "removed"
                self._find(0, NOTED[kind], what, number)

    def span(self, found: Sequence[Leaf], held: Mapping[int, Held]) -> None:
        """Verify leaves in order, and that there is nothing but theirs in what is held."""
        for leaf in found:
            batch_no = leaf.commit[0]
            if batch_no > self._chain.batch_no + 1:
                self._missing(held, self._chain.batch_no + 1, batch_no)
            self._follow(batch_no, *self._verified(held.get(batch_no, NOTHING), leaf))
        self.tally.leaves += len(found)
        known = [leaf.commit[0] for leaf in found]
        for batch_no in sorted(set(held) - set(known)):
            if not known or not known[0] <= batch_no <= known[-1]:
                self._strange(batch_no, held[batch_no])

    def _verified(self, held: Held, leaf: Leaf) -> tuple[int, bytes]:
        """When a batch became known, and the leaf to go on with; what does not match is found."""
        batch_no, commit = leaf.commit[0], held.commit
        if commit is None:
            if batch_no < self._commits_from:
                self.tally.let_go += 1
            else:
                self._find(batch_no, COMMIT, "removed", batch_no)
        if held.leaf(leaf.commit) == leaf.leaf:
            if commit not in (None, leaf.commit):
                self._find(batch_no, COMMIT, "altered", batch_no)
            if held.locators != leaf.locators:
                self._find(batch_no, LEAF, "altered", batch_no)
            return leaf.commit[2], leaf.leaf
        commit = commit or leaf.commit
        if held.locators == leaf.locators or held.leaf(commit) == leaf.leaf:
            # Every row is there with its digest, so it is the leaf that was altered; or else the hour will say so.
            self._find(batch_no, LEAF, "altered", batch_no)
            return commit[2], held.leaf(commit)
        self._locate(held, leaf)
        return leaf.commit[2], leaf.leaf

    def _locate(self, held: Held, leaf: Leaf) -> None:
        batch_no = leaf.commit[0]
        try:
            kept = read_locators(leaf.locators)
        except ValueError:
            self._find(batch_no, LEAF, "altered", batch_no)
            return
        rows = held.rows()
        for number, table in TABLES.items():
            self.tally.findings += compare(batch_no, table, kept.get(number), rows.get(number, []))

    def _missing(self, held: Mapping[int, Held], first: int, end: int) -> None:
        """Batches from first to before end have no leaf, and others behind them have."""
        committed = sorted(batch_no for batch_no in held if first <= batch_no < end and held[batch_no].commit)
        for batch_no in committed or [first]:
            self._find(batch_no, LEAF, "removed", batch_no)
        for batch_no in committed:
            commit = held[batch_no].commit
            assert commit is not None
            self._follow(batch_no, commit[2], held[batch_no].leaf(commit))

    def _strange(self, batch_no: int, held: Held) -> None:
        """What is there of a batch that there is not."""
        if held.commit is not None:
            self._find(batch_no, COMMIT, "inserted", batch_no)
        for number, rows in held.rows().items():
            table = TABLES[number]
            self.tally.findings += [
                Finding(batch_no, table.name, "inserted", key_of(table, row)) for row in rows
            ]

    def _follow(self, batch_no: int, known_at: int, leaf: bytes) -> None:
        if (hour := self._chain.over(known_at)) is not None:
            self._stated(hour)
        chain = self._chain
        for note in self._notes.get(batch_no, ()):
            chain = chain.with_note(note, batch_no)
        self._chain = chain.after(batch_no, known_at, leaf)

    def _stated(self, hour: Hour) -> None:
        stored = self._hours.pop(hour.hour_at, None)
        if stored is None:
            self._find(hour.last_batch, HOUR, "removed", hour.hour_at)
            return
        is_signed = stored.signature is not None or stored.public_key is not None
        self.tally.signed_hours += is_signed
        self.tally.unsigned_hours += not is_signed
        self.tally.trailing_hours = 0 if is_signed else self.tally.trailing_hours + 1
        as_noted = replace(hour, notes=stored.hour.notes)
        if (is_signed and not self._is_signed(stored)) or (
            stored.hour != as_noted and not self._doubted(hour)
        ):
            self._find(hour.last_batch, HOUR, "altered", hour.hour_at)
        elif as_noted != hour and not any(one.table == NOTE for one in self.tally.findings):
            self.tally.findings.append(Finding(0, NOTE, "altered"))
        self._chain = replace(self._chain, head=stored.hour.chain, notes=stored.hour.notes)

    def _doubted(self, hour: Hour) -> bool:
        """Whether it is told already that a leaf of an hour is not what it was."""
        batches = range(hour.first_batch, hour.last_batch + 1)
        return any(one.table == LEAF and one.batch_no in batches for one in self.tally.findings)

    def _is_signed(self, stored: StoredHour) -> bool:
        if stored.signature is None or stored.public_key is None:
            return False
        self.tally.keys.add(stored.public_key.hex())
        return is_valid(stored.public_key, statement(stored.hour.named(self._site)), stored.signature)

    def end(self, after: int | None) -> None:
        """No more batches; `after` is when the next one became known, None: there is none yet."""
        if after is not None and (hour := self._chain.over(after)) is not None:
            self._stated(hour)
        elif self._chain.hour_at is not None:
            self.tally.open_batches = self._chain.batch_no - self._chain.first_batch + 1
        for stored in self._hours.values():
            self._find(stored.hour.last_batch, HOUR, "inserted", stored.hour.hour_at)

    def _find(self, batch_no: int, table: str, what: str, key: int) -> None:
        self.tally.findings.append(Finding(batch_no, table, what, (key,)))
