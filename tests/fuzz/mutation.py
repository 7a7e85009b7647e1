"""Valid inputs made wrong, two ways: by their bytes, and by what they are made of.

Everything is drawn from the generator that is handed in, so an input follows from
its seed alone. What is made is bounded: bytes by `LONGEST`, structures by the
largest repetition here.
"""

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

LONGEST = 1 << 17
"""Bytes of one input, at most."""

_TOKENS = (
    b"", b"0", b"-", b"1e999", b"-1e400", b"NaN", b"Infinity", b"null", b"true", b"\xff", b"\x00", b"\xed\xa0\x80",
    b"\xef\xbb\xbf", b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\\u0000", b"\\ud800", b"\r\n", b"\t", b"#",
    b"9" * 400, b"0." + b"3" * 400, b"[" * 1200, b'{"a":' * 1200, b"2026-02-30T25:61:61Z", b"0001-01-01T00:00:00+23:59",
    b"9999-12-31T23:59:59.999999-23:59", b"&a [*a]", b"*a", b"!!python/object:os.system x", b"? ", b"- ", b"<<: ",
    b"4611686018427387904", b"9223372036854775808", b"18446744073709551616", b"1e308", b"5e-324", "é".encode("latin-1"),
    "٣".encode(), "\u2028".encode(), b";", b"'", b"%", b"|", b">",
)  # fmt: skip
_SCALARS: tuple[Any, ...] = (
    None, True, False, 0, -0.0, 1, -1, 0.1, 1e-320, 1e308, -1e308, 2**53 + 1, 2**62, 2**63, 2**64, 10**320, math.nan,
    math.inf, -math.inf, "", " ", "0", "NaN", "good", "bad", "substituted", "stuck", "kW", "MW", "kWh", "Nm3/h", "bar",
    "°C", "1", "running", "power", "line1/power", "a/b", "../x", "readings", "$SYS/x", "+/#", "\0", "\ud800", "\n",
    "é" * 50, "x" * 5000, "2026-11-20T08:00:00Z", "2026-11-20", "1999-12-31T23:59:59Z", "2027-01-01T00:00:00Z",
    1_795_161_600_000, 1_795_161_600_000.25, 946_684_799_999, -1, "0s", "5s", "1ms", "0.0001ms", "9" * 30 + "d", "1e3s",
    "99999999d", "Europe/Berlin", "UTC", "../../etc/passwd", "12:60", "24:00", "08:00-24:00", "iso", "epoch_ms",
    "%Y-%m-%d", "%", "%%", "%Q", "%z", "utf-16", "utf-7", "idna", "undefined", "rot13", "unicode_escape", "\t", ";",
    [], {}, [None], [[]], {"": None}, [1, 2, 3], {"value": 1}, {"point": "line1/power", "unit": "kW"},
)  # fmt: skip


def mutated(data: bytes, draw: random.Random, others: Sequence[bytes] = ()) -> bytes:
    """One to six changes of bytes; `others` may lend pieces."""
    for _ in range(draw.choice((1, 1, 1, 2, 3, 6))):
        data = draw.choice(_CHANGES)(data, draw, others)
        if len(data) > LONGEST:
            data = data[:LONGEST]
    return data


def _flip(data: bytes, draw: random.Random, _: Sequence[bytes]) -> bytes:
    if not data:
        return b"\x80"
    out = bytearray(data)
    out[draw.randrange(len(out))] ^= 1 << draw.randrange(8)
    return bytes(out)


def _put(data: bytes, draw: random.Random, _: Sequence[bytes]) -> bytes:
    at = draw.randrange(len(data) + 1)
    return data[:at] + bytes([draw.randrange(256)]) + data[at + draw.randrange(2) :]


def _token(data: bytes, draw: random.Random, _: Sequence[bytes]) -> bytes:
    at = draw.randrange(len(data) + 1)
    return data[:at] + draw.choice(_TOKENS) + data[at + draw.randrange(4) :]


def _cut(data: bytes, draw: random.Random, _: Sequence[bytes]) -> bytes:
    a, b = sorted((draw.randrange(len(data) + 1), draw.randrange(len(data) + 1)))
    return data[:a] + data[b:] if draw.random() < 0.5 else data[:b]


def _again(data: bytes, draw: random.Random, _: Sequence[bytes]) -> bytes:
    a, b = sorted((draw.randrange(len(data) + 1), draw.randrange(len(data) + 1)))
    return data[:b] + data[a:b] * draw.choice((1, 1, 2, 7, 40)) + data[b:]


def _splice(data: bytes, draw: random.Random, others: Sequence[bytes]) -> bytes:
    other = draw.choice(others) if others else data
    return data[: draw.randrange(len(data) + 1)] + other[draw.randrange(len(other) + 1) :]


_CHANGES: tuple[Callable[[bytes, random.Random, Sequence[bytes]], bytes], ...] = (
    _flip, _put, _token, _token, _cut, _again, _splice,
)  # fmt: skip


def changed(value: Any, draw: random.Random, words: Sequence[Any] = ()) -> Any:
    """One to four changes of a decoded structure; the one given stays as it is. `words` may come in."""
    for _ in range(draw.choice((1, 1, 2, 4))):
        value = _node(value, draw, words)
    return value


def _node(value: Any, draw: random.Random, words: Sequence[Any]) -> Any:
    """A copy of `value` with one node of it changed, at any depth."""
    if isinstance(value, dict) and value and draw.random() < 0.85:
        key = draw.choice(list(value))
        match draw.randrange(8):
            case 0:
                return {k: v for k, v in value.items() if k != key}
            case 1:
                return {(_word(draw, words) if k == key else k): v for k, v in value.items()}
            case 2:
                return {**value, _word(draw, words): _scalar(draw, words)}
        return {k: _node(v, draw, words) if k == key else v for k, v in value.items()}
    if isinstance(value, list) and value and draw.random() < 0.85:
        at = draw.randrange(len(value))
        match draw.randrange(8):
            case 0:
                return value[:at] + value[at + 1 :]
            case 1:
                return value[:at] + [value[at]] * draw.choice((2, 3, 200)) + value[at:]
            case 2:
                return [*value, _scalar(draw, words)]
        return [_node(v, draw, words) if i == at else v for i, v in enumerate(value)]
    match draw.randrange(10):
        case 0:
            return [value]
        case 1:
            return {"value": value}
        case 2 if isinstance(value, int | float) and not isinstance(value, bool):
            return value * draw.choice((-1, 1000, 1e-9, 1e300)) if abs(value) < 1e5 else -value
    return _scalar(draw, words)


def _scalar(draw: random.Random, words: Sequence[Any]) -> Any:
    return draw.choice(words) if words and draw.random() < 0.4 else draw.choice(_SCALARS)


def _word(draw: random.Random, words: Sequence[Any]) -> str:
    word = _scalar(draw, words)
    return word if isinstance(word, str) else "extra"
