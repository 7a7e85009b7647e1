"""Tests of analysers: told here, judged by ingest, listed with what they came to."""

from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ingest.methods.analyser import TEST_READINGS, TestBody
from ingest.store.audit import Actor, Change, record
from service import cursors, inbox
from service.bodies import invalid_body
from service.documents import Document, Instant, Page
from service.plans import SitePlan
from service.problems import invalid
from service.store import Connection, rows
from service.times import INSTANT_EXPECTED, format_instant, to_datetime

Kind = Literal[
    "daily_calibration", "seven_day", "linearity", "rata", "drift", "qal2", "ast", "qal3", "recertification"
]


def _text(given: Any) -> Any:
    if not isinstance(given, str):
        raise ValueError(f"expected {INSTANT_EXPECTED}")  # noqa: TRY004  pydantic tells a ValueError
    return given


class TestAsked(BaseModel):
    """The body of a request."""

    __test__ = False  # no case for pytest

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    performed_at: Annotated[Instant, BeforeValidator(_text)] = Field(description="When it was completed")
    readings: dict[str, Any] = Field(description="What was led in and read, in the shape of its kind")
    note: str = Field("", max_length=1000, pattern=r"^[^\x00-\x1f\x7f]*$")


class AcceptedTest(Document):
    """A test that ingest will judge."""

    instrument: str
    kind: Kind
    performed_at: Instant
    inbox_no: int
    repeated: bool = Field(description="The same key and body had been accepted before; nothing was added")


class TestDocument(Document):
    """A test and what it came to."""

    __test__ = False

    test: int = Field(description="Its number; of one kind at one instant the largest counts")
    instrument: str
    kind: Kind
    performed_at: Instant
    readings: dict[str, Any]
    result: dict[str, Any] = Field(description="Errors as the regime prints them")
    passed: bool | None = Field(
        description="null: cannot be judged, the result says why; or a recertification, which is no test"
    )
    note: str
    author: str = Field(description="Name of the key that told it")
    batch_no: int
    known_at: Instant


async def accept(
    connection: Connection, site: SitePlan, instrument: str, asked: TestAsked, key: str, author: str, now: int
) -> AcceptedTest:
    """Hand a test to ingest; commits with the connection's transaction.

    Raises:
        ProblemError: its readings have not the shape of its kind, or it is yet to come.
    """
    readings = msgspec.json.encode(asked.readings)
    try:
        msgspec.json.decode(readings, type=TEST_READINGS[asked.kind])
    except msgspec.MsgspecError as error:
        raise invalid_body("malformed", f"readings of {asked.kind}: {error}") from None
    if asked.performed_at > now:
        raise invalid("Body", "performed_at", format_instant(asked.performed_at), "a time that has come")
    body = TestBody(instrument, asked.kind, asked.performed_at, msgspec.Raw(readings), asked.note)
    text = msgspec.json.encode(body).decode()
    receipt = await inbox.accept(connection, site.site_no, "test", text, key, author)
    if not receipt.repeated:
        after = {"kind": asked.kind, "performed_at": format_instant(asked.performed_at), "note": asked.note}
        change = Change("test.told", instrument, site.site_no, after=after | {"inbox_no": receipt.inbox_no})
        await record(connection, Actor(author, "api"), change)
    return AcceptedTest(
        instrument=instrument,
        kind=asked.kind,
        performed_at=asked.performed_at,
        inbox_no=receipt.inbox_no,
        repeated=receipt.repeated,
    )


async def page(
    connection: Connection,
    site: SitePlan,
    instrument: str,
    span: tuple[int, int],
    limit: int,
    cursor: str | None,
) -> Page[TestDocument]:
    """Tests performed in the span (µs), oldest first."""
    after = (span[0], 0) if cursor is None else cursors.decode(cursor, (cursors.INSTANT, range(2**61)))
    found = await rows(
        connection,
        """
        SELECT test_no, instrument, kind, performed_at, readings, result, passed, note, author, batch_no, known_at
          FROM analyser_test
         WHERE site_no = %s AND instrument = %s AND performed_at >= %s AND performed_at < %s
           AND (performed_at, test_no) > (%s, %s)
         ORDER BY performed_at, test_no LIMIT %s
        """,
        [
            site.site_no, instrument, to_datetime(span[0]), to_datetime(span[1]), to_datetime(after[0]), after[1],
            limit + 1,
        ],
    )  # fmt: skip
    more = len(found) > limit
    names = list(TestDocument.model_fields)
    items = [TestDocument(**dict(zip(names, one, strict=True))) for one in found[:limit]]
    following = cursors.encode([items[-1].performed_at, items[-1].test]) if more else None
    return Page[TestDocument](items=items, next=following)
