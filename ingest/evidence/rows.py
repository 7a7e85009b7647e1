"""Rows as columns: their canonical bytes, hashes and locators, without Python per row.

The twin of `verifier.layout` and `verifier.locating`, which say what is meant; tests compare them.
"""

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingest.evidence.verifier.layout import TABLES, WORDS, Table, key_width

Words = npt.NDArray[np.uint64]
"""uint64[n, w], big-endian: the canonical bytes of n rows."""
CANONICAL_NAN = np.uint64(0x7FF8000000000000)
READING = TABLES[1]


@dataclass(frozen=True, slots=True)
class Hashed:
    """What is kept of a batch's rows of one table."""

    table: int
    count: int
    sha256: bytes
    locator: bytes

    @staticmethod
    def of(table: Table, words: Words) -> "Hashed":
        """Of rows in canonical order, at least one."""
        return Hashed._of(table, np.ascontiguousarray(words.T, np.uint64), words)

    @staticmethod
    def of_readings(columns: Mapping[str, npt.ArrayLike]) -> "Hashed":
        """Of at least one reading, by the columns that were written."""
        by_column = np.ascontiguousarray(table_words(READING, columns, None).T, np.uint64)
        by_column = by_column[:, np.argsort(by_column[0], kind="stable")]
        point, at = by_column[:2]
        is_after = (point[1:] > point[:-1]) | ((point[1:] == point[:-1]) & (at[1:] > at[:-1]))
        words = np.ascontiguousarray(by_column.T, ">u8")
        return (
            Hashed._of(READING, by_column, words) if is_after.all() else Hashed.of(READING, in_order(words))
        )

    @staticmethod
    def _of(table: Table, by_column: npt.NDArray[np.uint64], words: Words) -> "Hashed":
        count = len(words)
        parity = np.bitwise_xor.reduce(by_column[: key_width(table) // 8], axis=1).astype(">u8").tobytes()
        packed = struct.pack(">BI", table.number, count) + parity + digests(by_column).astype(">u4").tobytes()
        canonical = np.ascontiguousarray(words, ">u8")
        return Hashed(table.number, count, hashlib.sha256(canonical.data).digest(), packed)


def table_words(
    table: Table, columns: Mapping[str, npt.ArrayLike], null: npt.NDArray[np.uint64] | None
) -> Words:
    """The canonical bytes of rows, in their order.

    Columns are int64 (instants in µs), float64, or hashes of texts as bytes[32]; what is null has any value and its
    bit in `null`.
    """
    arrays = {name: np.asarray(columns[name]) for name in table.columns}
    n = max(array.size for array in arrays.values())
    width = sum(WORDS[kind] for kind in table.columns.values())
    words = np.zeros((n, width + 1), ">u8")
    at = 0
    for name, kind in table.columns.items():
        words[:, at : at + WORDS[kind]] = _cells(arrays[name], kind)
        at += WORDS[kind]
    if null is not None:
        words[:, width] = null
        at = 0
        for place, kind in enumerate(table.columns.values()):
            words[(null >> np.uint64(place)) & np.uint64(1) != 0, at : at + WORDS[kind]] = 0
            at += WORDS[kind]
    return words


def _cells(column: npt.NDArray[np.generic], kind: str) -> npt.NDArray[np.uint64]:
    if kind == "text":
        return column.view(">u8").reshape(-1, 4)
    if kind == "float":
        values = column.astype(np.float64)
        bits = values.view(np.uint64).copy()
        bits[np.isnan(values)] = CANONICAL_NAN
        return bits.reshape(-1, 1)
    return column.astype(np.int64).view(np.uint64).reshape(-1, 1)


def in_order(words: Words) -> Words:
    """Rows in canonical order: ascending by their bytes."""
    order = np.argsort(words.view(f"V{words.dtype.itemsize * words.shape[1]}").ravel(), kind="stable")
    return words[order]


def digests(by_column: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint32]:
    """Four bytes of each row, as `verifier.locating.digest` makes them; uint64[w, n] of this machine."""
    mixed = np.full(by_column.shape[1], 0x9E3779B97F4A7C15, np.uint64)
    for column in by_column:
        mixed ^= column
        mixed *= np.uint64(0xFF51AFD7ED558CCD)
        mixed ^= mixed >> np.uint64(32)
    return mixed.astype(np.uint32)
