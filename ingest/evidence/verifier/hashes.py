"""What is made of rows: the leaf of a batch, the chain, the tree of an hour, and what is signed of it.

Everything is sha256, each use with a first byte of its own.
"""

import hashlib
import struct
from collections.abc import Iterable, Sequence
from typing import Any

NO_WATERMARK = -(2**63)


def sha256(*parts: bytes) -> bytes:
    """The hash of parts put together."""
    return hashlib.sha256(b"".join(parts)).digest()


def leaf_hash(commit: Sequence[int], rows: Iterable[tuple[int, int, bytes]]) -> bytes:
    """The leaf of a batch; of its rows, per table: number of the table, count, hash of all of them.

    `commit`: batch_no, epoch, known_at, plan_version, watermark (NO_WATERMARK: none yet), readings.
    """
    parts = [struct.pack(">BI", table, count) + hashed for table, count, hashed in sorted(rows)]
    return sha256(b"\x00", struct.pack(">6q", *commit), *parts)


def genesis(site: str, first_batch: int) -> bytes:
    """Where the chain of a site begins."""
    return sha256(b"\x03", f"stackwatt evidence 1\n{site}\n{first_batch}".encode())


def link(head: bytes, leaf: bytes) -> bytes:
    """The chain's next head."""
    return sha256(b"\x02", head, leaf)


def noted(head: bytes, kind: int, number: int, batch_no: int, said: str) -> bytes:
    """The next head of the chain of notes, which begins with 32 zeros."""
    return sha256(b"\x04", head, f"{kind}\n{number}\n{batch_no}\n{said}".encode())


def node(left: bytes, right: bytes) -> bytes:
    """An inner node of a tree (RFC 9162)."""
    return sha256(b"\x01", left, right)


def statement(hour: dict[str, Any]) -> bytes:
    """What is signed of an hour; its hashes are in hex."""
    names = ("site", "hour", "first_batch", "last_batch", "root", "chain", "notes")
    return "\n".join(["stackwatt evidence 1", *(f"{name} {hour[name]}" for name in names), ""]).encode()


class Forest:
    """A Merkle tree (RFC 9162) that grows leaf by leaf; it holds only the roots of its perfect subtrees."""

    def __init__(self, roots: Iterable[tuple[int, bytes]] = ()) -> None:
        """Begin with the subtrees (height, root) of another."""
        self.roots = list(roots)

    def append(self, leaf: bytes) -> None:
        """Add a leaf."""
        height = 0
        while self.roots and self.roots[-1][0] == height:
            leaf, height = node(self.roots.pop()[1], leaf), height + 1
        self.roots.append((height, leaf))

    @property
    def root(self) -> bytes:
        """The root of at least one leaf."""
        root = self.roots[-1][1]
        for _, left in reversed(self.roots[:-1]):
            root = node(left, root)
        return root
