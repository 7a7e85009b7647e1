"""The format by its definition: rows and their hashes twice over, chains, trees, signatures."""

import hashlib
import math
import os
import struct
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import InputError
from ingest.evidence.rows import READING, Hashed, in_order, table_words
from ingest.evidence.signing import make_key, read_signer
from ingest.evidence.verifier.chain import Chain, Note
from ingest.evidence.verifier.hashes import Forest, link, node
from ingest.evidence.verifier.layout import TABLES, row_bytes
from ingest.evidence.verifier.locating import compare, locator, read_locators
from ingest.evidence.verifier.signature import is_valid
from tests.ingest.evidence.tampering import table_of
from tests.ingest.evidence.world import signer
from tests.ingest.feeding import START

MINUTE = 60_000_000
Reading = tuple[int, int, int, float, int, int, int]
INT = st.integers(-(2**31), 2**31 - 1)
READINGS = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.integers(START, START + 5),
        st.integers(START, START + 3),
        st.floats(width=64),
        st.integers(0, 3),
        st.integers(0, 2**19),
        st.integers(-1, 2),
    ),
    min_size=1,
    max_size=40,
)


@given(READINGS)
def test_columns_and_rows_make_the_same_bytes(readings: list[Reading]) -> None:
    columns = {
        name: np.array(column)
        for name, column in zip(READING.columns, zip(*readings, strict=True), strict=True)
    }
    rows = sorted(row_bytes(READING, cells) for cells in readings)
    hashed = Hashed.of_readings(columns)
    assert hashed == Hashed(1, len(rows), hashlib.sha256(b"".join(rows)).digest(), locator(READING, rows))
    assert hashed == Hashed.of(READING, in_order(table_words(READING, columns, None)))


@given(st.lists(st.tuples(*(st.none() | INT for _ in TABLES[5].columns)), min_size=1, max_size=20))
def test_what_is_null_is_zeros_and_a_bit(rows: list[tuple[int | None, ...]]) -> None:
    table = TABLES[5]
    columns = {
        name: np.array([7 if cell is None else cell for cell in column], np.int64)
        for name, column in zip(table.columns, zip(*rows, strict=True), strict=True)
    }
    null = np.array([sum(1 << i for i, cell in enumerate(row) if cell is None) for row in rows], np.uint64)
    words = table_words(table, columns, null)
    assert [one.tobytes() for one in words] == [row_bytes(table, row) for row in rows]


def test_a_nan_is_one_nan_and_a_zero_has_its_sign() -> None:
    quiet, other = (
        struct.unpack(">d", bytes.fromhex(bits))[0] for bits in ("7ff8000000000000", "fff8000000000001")
    )
    cells: list[Any] = [1, START, START, quiet, 0, 0, -1]
    found = [
        row_bytes(READING, [*cells[:3], value, *cells[4:]]) for value in (quiet, other, math.nan, 0.0, -0.0)
    ]
    assert found[0] == found[1] == found[2]
    assert found[3] != found[4]


def test_every_column_of_a_covered_table_is_covered(dsn: str) -> None:
    """But for those by which a row is found; whoever adds one adds it to the layout."""
    apart = {"batch_no", "superseded_batch", "site_no", "failure"}
    with psycopg.connect(dsn) as connection:
        for table in TABLES.values():
            stored = {
                name
                for (name,) in connection.execute(
                    "SELECT column_name FROM information_schema.columns WHERE table_name = %s", [table.name]
                )
            }
            if " " not in table.name:
                assert stored - apart == set(table.columns), table.name
    assert table_of("interval_history") == "interval"


def test_which_row_it_is_is_told_as_far_as_it_can_be() -> None:
    rows = sorted(row_bytes(READING, [1, START + n, START, float(n), 0, 0, -1]) for n in range(9))
    other = row_bytes(READING, [1, START + 3, START, 3.5, 0, 0, -1])
    moved = row_bytes(READING, [2, START + 3, START, 3.0, 0, 0, -1])
    kept = read_locators(locator(READING, rows))[1]

    def told(*found: bytes) -> list[tuple[str, Any, Any]]:
        return [(one.what, one.key, one.was) for one in compare(7, READING, kept, sorted(found))]

    key = (1, START + 3)
    assert told(*rows) == []
    assert told(*rows[:3], other, *rows[4:]) == [("altered", key, key)]
    assert told(*rows[:3], moved, *rows[4:]) == [("altered", (2, START + 3), key)]
    assert told(*rows[:3], *rows[4:]) == [("removed", key, None)]
    assert told(*rows, rows[3]) == [("inserted", key, None)]
    assert told(*rows[:2], *rows[4:]) == [("removed", None, None)] * 2
    assert told(other, *rows[1:3], *rows[4:]) == [("altered", key, None), ("removed", (1, START), None)]


@given(st.integers(1, 70))
def test_a_tree_is_that_of_rfc_9162(count: int) -> None:
    leaves = [bytes([n]) * 32 for n in range(count)]

    def root(part: list[bytes]) -> bytes:
        if len(part) == 1:
            return part[0]
        half = 1 << (len(part) - 1).bit_length() - 1
        return node(root(part[:half]), root(part[half:]))

    forest = Forest()
    for leaf in leaves:
        forest.append(leaf)
    assert forest.root == root(leaves)


def test_a_chain_states_an_hour_when_it_is_over() -> None:
    hour = START - START % (60 * MINUTE)
    begun = Chain(bytes(32), 0).with_note(Note(1, 1, "mill/line/power"), 1)
    chain = begun.after(1, hour + MINUTE, b"a" * 32).after(2, hour + 2 * MINUTE, b"b" * 32)
    assert chain.over(hour + 59 * MINUTE) is None
    stated = chain.over(hour + 60 * MINUTE)
    assert stated is not None
    assert (stated.hour_at, stated.first_batch, stated.last_batch) == (hour, 1, 2)
    assert stated.chain == link(link(bytes(32), b"a" * 32), b"b" * 32)
    assert (stated.root, stated.notes) == (node(b"a" * 32, b"b" * 32), begun.notes)
    later = chain.after(3, hour + 61 * MINUTE, b"c" * 32)
    assert (later.first_batch, later.roots) == (3, ((0, b"c" * 32),))


RFC_8032 = [  # section 7.1: public key, message, signature
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("key", "message", "signature"), RFC_8032)
def test_signatures_of_rfc_8032(key: str, message: str, signature: str) -> None:
    public, said, signed = (bytes.fromhex(part) for part in (key, message, signature))
    assert is_valid(public, said, signed)
    assert not is_valid(public, said + b"x", signed)
    for place in (0, 31, 32, 63):
        wrong = bytearray(signed)
        wrong[place] ^= 1
        assert not is_valid(public, said, bytes(wrong))
    scalar = int.from_bytes(signed[32:], "little") + 2**252 + 27742317777372353535851937790883648493
    assert not is_valid(public, said, signed[:32] + scalar.to_bytes(32, "little")), "a second spelling"


def test_a_key_file_signs_as_the_definition_does(tmp_path: Path) -> None:
    file = tmp_path / "key"
    make_key(file)
    ours = signer(bytes.fromhex(file.read_text().strip()))
    library = read_signer(file)
    assert library.public_key == ours.public_key
    assert library.sign(b"hour") == ours.sign(b"hour")
    assert is_valid(library.public_key, b"hour", library.sign(b"hour"))
    file.chmod(0o640)
    with pytest.raises(InputError, match="can be read by others"):
        read_signer(file)


def test_a_key_that_root_hands_out_comes_by_our_group() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make a file of root's; run as root")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        file = Path(folder) / "key"
        make_key(file)
        os.chown(file, 0, 65534)
        for mode, is_taken in ((0o440, True), (0o640, True), (0o644, False), (0o660, False)):
            file.chmod(mode)
            os.setegid(65534)
            os.seteuid(65534)
            try:
                with nullcontext() if is_taken else pytest.raises(InputError, match="can be read by others"):
                    read_signer(file)
            finally:
                os.seteuid(0)
                os.setegid(0)


def test_a_file_without_a_key_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no evidence key"):
        read_signer(tmp_path / "none")
    short = tmp_path / "short"
    short.write_text("abcd\n")
    short.chmod(0o600)
    with pytest.raises(InputError, match="found 4 characters"):
        read_signer(short)
    with pytest.raises(InputError, match="expected a new file"):
        make_key(short)
