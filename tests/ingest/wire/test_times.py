"""The matrix of bytes says what the definition says, stamp by stamp."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ingest.wire.times import BAD_TIME, EPOCH, NO_TIME, instant_of, instants

MANY = 30
"""Enough stamps that the matrix is used."""

moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001  the bounds must be naive
offsets = st.builds(
    "{}{:02d}:{:02d}".format, st.sampled_from("+-"), st.integers(0, 24), st.integers(0, 60)
) | st.sampled_from(["Z", "z", "", "+0800", "Zz"])
fractions = st.text("0123456789", max_size=12).map(lambda digits: f".{digits}") | st.just("")


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Stamps, right or nearly."""
    at = draw(moments)
    second = draw(st.sampled_from([at.second, 59, 60, 61]))
    text = f"{at:%Y-%m-%d}".rjust(10, "0") + draw(st.sampled_from("Tt _")) + f"{at:%H:%M}:{second:02d}"
    text += draw(fractions) + draw(offsets)
    if draw(st.booleans()):
        place = draw(st.integers(0, len(text) - 1))
        text = text[:place] + draw(st.characters()) + text[place + 1 :]
    return text


numbers = st.integers() | st.floats() | st.floats(9e11, 3e12) | st.integers(946684800000, 4102444800000)
stamps: st.SearchStrategy[Any] = texts() | st.text(max_size=40) | numbers | st.none() | st.booleans()


@given(st.lists(texts(), min_size=1, max_size=5))
def test_texts_together_are_texts_alone(given_texts: list[str]) -> None:
    assert instants(given_texts * MANY).tolist() == [instant_of(text) for text in given_texts * MANY]


@given(st.lists(stamps, max_size=5))
def test_stamps_of_all_kinds_together_are_stamps_alone(given_stamps: list[Any]) -> None:
    assert instants(given_stamps * MANY).tolist() == [instant_of(stamp) for stamp in given_stamps * MANY]


@given(moments, st.integers(-1439, 1439))
def test_agrees_with_datetime(at: datetime, east: int) -> None:
    micros = (at - EPOCH) // timedelta(microseconds=1)
    local = at.replace(tzinfo=None) + timedelta(minutes=east)
    sign = "-" if east < 0 else "+"
    text = f"{local.isoformat()}{sign}{abs(east) // 60:02d}:{abs(east) % 60:02d}"
    assert instant_of(text) == micros
    assert instants([text] * MANY).tolist() == [micros] * MANY


@given(st.integers(0, 4_102_444_800_000_000))
def test_milliseconds_keep_every_microsecond(micros: int) -> None:
    assert instant_of(micros / 1000) == micros


def test_null_is_no_time() -> None:
    assert instants([None] * MANY).tolist() == [NO_TIME] * MANY
    assert instants([]).tolist() == []


def test_what_leaves_the_calendar_is_bad() -> None:
    for text in ("9999-12-31T23:59:59-00:01", "0001-01-01T00:00:00+00:01", "0000-12-31T00:00:00Z"):
        assert instants([text] * MANY).tolist() == [BAD_TIME] * MANY
        assert instant_of(text) == BAD_TIME
