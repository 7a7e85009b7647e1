"""The chain of a site as it stands after a batch: its head, the tree of the hour under way, the notes.

A value: `after` gives the next one, and what was before stays, for a transaction that is tried again.
"""

from dataclasses import dataclass, replace

from .hashes import Forest, link, noted

HOUR = 3_600_000_000
"""µs."""
NO_NOTES = bytes(32)


@dataclass(frozen=True, slots=True)
class Note:
    """What is noted of something that has no batch of its own."""

    kind: int
    number: int
    said: str


@dataclass(frozen=True, slots=True)
class Hour:
    """What is stated of an hour that is over; `hour_at` in µs."""

    hour_at: int
    first_batch: int
    last_batch: int
    root: bytes
    chain: bytes
    notes: bytes

    def named(self, site: str) -> dict[str, object]:
        """As `verifier.hashes.statement` wants it."""
        hashes = {name: getattr(self, name).hex() for name in ("root", "chain", "notes")}
        batches = {"first_batch": self.first_batch, "last_batch": self.last_batch}
        return {"site": site, "hour": self.hour_at, **batches, **hashes}


@dataclass(frozen=True, slots=True)
class Chain:
    """The chain after `batch_no`, the newest batch that has a leaf."""

    head: bytes
    batch_no: int
    notes: bytes = NO_NOTES
    hour_at: int | None = None
    """The hour under way; None: no batch of it is known."""
    first_batch: int = 0
    roots: tuple[tuple[int, bytes], ...] = ()

    def after(self, batch_no: int, known_at: int, leaf: bytes) -> "Chain":
        """With one more batch; one of a later hour begins that hour's tree."""
        hour_at = known_at - known_at % HOUR
        is_new = hour_at != self.hour_at
        forest = Forest(() if is_new else self.roots)
        forest.append(leaf)
        first_batch = batch_no if is_new else self.first_batch
        head = link(self.head, leaf)
        return replace(
            self,
            head=head,
            batch_no=batch_no,
            hour_at=hour_at,
            first_batch=first_batch,
            roots=tuple(forest.roots),
        )

    def with_note(self, note: Note, batch_no: int) -> "Chain":
        """With one more note, which a batch made."""
        return replace(self, notes=noted(self.notes, note.kind, note.number, batch_no, note.said))

    def over(self, known_at: int) -> Hour | None:
        """The hour under way, if it is over at an instant."""
        if self.hour_at is None or known_at < self.hour_at + HOUR:
            return None
        root = Forest(self.roots).root
        return Hour(self.hour_at, self.first_batch, self.batch_no, root, self.head, self.notes)
