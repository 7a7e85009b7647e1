"""A message of a MES to statements: what was said, checked by itself, in canonical form.

A message is one JSON object or a list of them, each with a `kind`:

    {"kind": "order", "order": "4711", "product": "cem-i", "planned": 120, "measure": "t"}
    {"kind": "start", "order": "4711", "unit": "mill1", "ts": "2026-11-20T08:00:00Z"}
    {"kind": "stop", "order": "4711", "unit": "mill1", "ts": "2026-11-20T10:00:00Z", "good": 118, "scrap": 1, "measure": "t"}
    {"kind": "production", "id": "p-9", "unit": "mill1", "from": …, "to": …, "good": 40, "measure": "t"}
    {"kind": "state", "unit": "mill1", "ts": …, "state": "idle"}

also pause, resume, and segment (from, to). `id` and `seq` are the MES's own: told again with a larger `seq`
a statement is replaced, with `"withdrawn": true` it is taken back. Without an `id` its content names
it; headers without `id` and `seq` stand beside each other. A faulty one is refused by itself. Whether statements fit
together is the reduction's business.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

import msgspec

from ingest.errors import InputError
from ingest.mes.model import MachineState
from ingest.model import MINUTE, SECOND
from ingest.plant.plan import Plan
from ingest.units import measure
from ingest.wire.refusal import RefusedError, RejectReason, shown
from ingest.wire.times import BAD_TIME, NO_TIME, instant_of

LONGEST_TEXT = 200
MOST_STATEMENTS = 10_000
"""Of one message."""
MOST_AHEAD = 5 * MINUTE
YEAR_2000 = 946_684_800 * SECOND
NO_SEQ = -1
_LAST_SEQ = 2**62
_STATES = get_args(MachineState)
_EVENTS = ("start", "pause", "resume", "stop")
KINDS = ("order", *_EVENTS, "segment", "production", "state")


@dataclass(frozen=True, slots=True)
class Statement:
    """One fact that a MES told."""

    kind: str
    """order, event, segment, production or state."""
    id: str
    seq: int
    order: str | None
    unit: str | None
    """Full id."""
    from_at: int
    to_at: int
    body: Mapping[str, Any]
    """What else it says; numbers, texts and truths."""

    @property
    def content(self) -> str:
        """Canonical text of the body: which of two statements of one seq counts."""
        return json.dumps(dict(self.body), sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @property
    def digest(self) -> str:
        """Tells facts apart, as hex. Of a header the time is not what it says, but when it was told."""
        times = [] if self.kind == "order" else [self.from_at, self.to_at]
        said = [self.kind, self.id, self.seq, self.order, self.unit, *times, self.content]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Refused:
    """A statement that is none, and why."""

    element: int | None
    reason: str
    detail: str


def read_statements(payload: bytes, plan: Plan, received_at: int) -> tuple[list[Statement], list[Refused]]:
    """The statements of a message and what was refused of it; nothing a message holds raises."""
    try:
        body = msgspec.json.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        head = shown(payload[:40].decode("latin-1"))
        detail = f"the payload begins {head}; UTF-8 JSON was expected ({error})."
        return [], [Refused(None, RejectReason.MALFORMED, detail)]
    elements = body if isinstance(body, list) else [body]
    if len(elements) > MOST_STATEMENTS:
        detail = f"the message holds {len(elements)} statements; at most {MOST_STATEMENTS} were expected."
        return [], [Refused(None, RejectReason.TOO_MANY, detail)]
    good, refused = [], []
    for place, element in enumerate(elements):
        try:
            good.append(_Reader(plan, received_at, element).read())
        except RefusedError as error:
            where = place if isinstance(body, list) else None
            refused.append(Refused(where, str(error.reason), error.detail))
    return good, refused


class _Reader:
    """One element of a message."""

    def __init__(self, plan: Plan, received_at: int, element: Any) -> None:
        self._plan = plan
        self._now = received_at
        if not isinstance(element, dict):
            raise _wrong(f"a statement is {shown(element)}; an object with a kind was expected.")
        self._said: dict[str, Any] = element

    def read(self) -> Statement:
        kind = self._said.get("kind")
        if kind not in KINDS:
            raise _wrong(f"kind is {shown(kind)}; one of {', '.join(KINDS)} was expected.")
        withdrawn = self._said.get("withdrawn", False)
        if not isinstance(withdrawn, bool):
            raise _wrong(f"withdrawn is {shown(withdrawn)}; true or false was expected.")
        body: dict[str, Any] = {"withdrawn": True} if withdrawn else {}
        order = self._text("order", needed=kind not in ("production", "state"))
        unit = None if kind == "order" else self._unit()
        begin, end = self._span(kind)
        if kind == "order":
            body |= self._header() | {"closed": self._truth("closed")}
        elif kind in _EVENTS:
            body |= {"event": kind} | (self._header() if kind == "start" else {})
            body |= self._quantity(needed=False) if kind == "stop" else {}
        elif kind == "production":
            body |= self._quantity(needed=not withdrawn) | self._some(product=self._text("product"))
        elif kind == "state":
            body["state"] = self._state()
        told = "event" if kind in _EVENTS else kind
        seq = self._seq()
        own = self._text("id")
        if own is None and kind == "order":
            # with a seq the newest header replaces others; without, each says what it says beside the others
            own = order if seq != NO_SEQ else f"{order}|{json.dumps(body, sort_keys=True)}"
        named = own or f"{order or ''}|{unit}|{kind}|{begin}|{end}"
        return Statement(told, named, seq, order, unit, begin, end, body)

    def _span(self, kind: str) -> tuple[int, int]:
        if kind == "order":
            return (self._now, self._now) if self._said.get("ts") is None else (self._instant("ts"),) * 2
        if kind not in ("segment", "production"):
            return (self._instant("ts"),) * 2
        begin, end = self._instant("from"), self._instant("to")
        if end <= begin:
            raise _wrong(
                f"to is {shown(self._said['to'])}; a time after from, {shown(self._said['from'])}, was expected."
            )
        return begin, end

    def _instant(self, name: str) -> int:
        given = self._said.get(name)
        at = instant_of(given)
        if at in (NO_TIME, BAD_TIME):
            expected = "RFC 3339 with an offset or epoch milliseconds"
            raise RefusedError(RejectReason.BAD_TIME, f"{name} is {shown(given)}; {expected} was expected.")
        if at < YEAR_2000:
            raise RefusedError(
                RejectReason.BEFORE_2000, f"{name} is {shown(given)}; a time since 2000 was expected."
            )
        if at - self._now > MOST_AHEAD:
            raise RefusedError(
                RejectReason.FUTURE, f"{name} is {shown(given)}; a time that has come was expected."
            )
        return at

    def _unit(self) -> str:
        given = self._said.get("unit")
        site = self._plan.site
        if isinstance(given, str):
            for full in (given, f"{site}/{given}"):
                if full in self._plan.mes.by_unit:
                    return full
        known = ", ".join(one.removeprefix(f"{site}/") for one in self._plan.mes.by_unit)
        raise RefusedError(
            RejectReason.UNKNOWN_POINT,
            f"unit is {shown(given)}; one on which orders run was expected: {known}.",
        )

    def _text(self, name: str, *, needed: bool = False) -> str | None:
        given = self._said.get(name)
        if given is None and not needed:
            return None
        if (
            isinstance(given, str)
            and 0 < len(given) <= LONGEST_TEXT
            and given.isprintable()
            and given.strip() == given
        ):
            return given
        raise _wrong(
            f"{name} is {shown(given)}; printable text of 1 to {LONGEST_TEXT} characters was expected."
        )

    def _truth(self, name: str) -> bool:
        given = self._said.get(name, False)
        if isinstance(given, bool):
            return given
        raise _wrong(f"{name} is {shown(given)}; true or false was expected.")

    def _state(self) -> str:
        given = self._said.get("state")
        if isinstance(given, str) and given in _STATES:
            return given
        raise RefusedError(
            RejectReason.UNKNOWN_STATE, f"state is {shown(given)}; one of {', '.join(_STATES)} was expected."
        )

    def _seq(self) -> int:
        given = self._said.get("seq")
        if given is None:
            return NO_SEQ
        if type(given) is int and 0 <= given < _LAST_SEQ:
            return given
        raise RefusedError(
            RejectReason.BAD_SEQ, f"seq is {shown(given)}; a whole number from 0 to 2^62 - 1 was expected."
        )

    def _header(self) -> dict[str, Any]:
        planned = self._number("planned", needed=False)
        found = self._some(product=self._text("product"), batch=self._text("batch"), planned=planned)
        return found if planned is None else found | {"measure": self._measure()}

    def _quantity(self, *, needed: bool) -> dict[str, Any]:
        good, scrap = self._number("good", needed=needed), self._number("scrap", needed=False)
        if good is None and scrap is None:
            return {}
        return {"good": good or 0.0, "scrap": scrap or 0.0, "measure": self._measure()}

    def _number(self, name: str, *, needed: bool) -> float | None:
        given = self._said.get(name)
        if given is None and not needed:
            return None
        if isinstance(given, int | float) and not isinstance(given, bool) and 0 <= given < 1e15:
            return float(given)
        raise RefusedError(
            RejectReason.NOT_A_NUMBER, f"{name} is {shown(given)}; a number from 0 to 1e15 was expected."
        )

    def _measure(self) -> str:
        given = self._said.get("measure")
        try:
            if isinstance(given, str) and len(given) <= 40:
                measure(given)
                return given
        except InputError as error:
            raise RefusedError(RejectReason.UNKNOWN_UNIT, f"measure: {error}") from None
        raise RefusedError(
            RejectReason.UNKNOWN_UNIT, f"measure is {shown(given)}; the unit of the quantities was expected."
        )

    @staticmethod
    def _some(**said: Any) -> dict[str, Any]:
        return {name: value for name, value in said.items() if value is not None}


def _wrong(detail: str) -> RefusedError:
    return RefusedError(RejectReason.WRONG_FORM, detail)
