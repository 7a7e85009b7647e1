r"""Frames of HJ 212: `##LLLL<segment>CCCC\r\n`, composed and taken apart; pure functions.

LLLL is the length of the segment in decimal, CCCC its check sum in hex. The protocol has
three living versions, told by the Flag's version bits (2005, 2017, 2025); what differs
here is the longest segment and the digits of packet numbers. In the field frames come
with a wrong check sum and with a length that leads to none: a frame says both of itself,
and whoever takes it in decides. What a code measures, in which unit it is stored, joining
split frames, answers and the SM4 encryption of 2025 are not here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from ingest.errors import InputError
from ingest.model import MICROSECOND

VERSIONS: Mapping[int, int] = {0: 2005, 1: 2017, 2: 2025}
"""Version bits of Flag → edition."""

LONGEST: Mapping[int | None, int] = {2005: 1024, 2017: 1024, 2025: 9999, None: 9999}
"""Longest segment, bytes; of 2025 what four digits hold (unconfirmed)."""

BEIJING = timezone(timedelta(hours=8))
"""Times of the protocol; without summer time."""

PERIOD_START = frozenset({2031, 2051, 2061})
"""Commands whose DataTime is the start of their period (day, minutes, hour); of 2011 it is the instant."""

_HEAD, _CRC = 6, 4
_FRAME = re.compile(rb"##(\d{4})(.*)", re.DOTALL)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def check_sum(segment: bytes) -> int:
    """CRC-16 of the standard: each byte is xor'ed into the register shifted by 8 before, unlike MODBUS."""
    crc = 0xFFFF
    for byte in segment:
        crc = (crc >> 8) ^ byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc


@dataclass(frozen=True, slots=True)
class Frame:
    """What a frame says."""

    length: int
    """As declared."""
    crc: str | None
    """As written, upper case; None: none stands where the length leads."""
    crc_computed: str
    """Of the segment as declared, or of what there is of it."""
    segment: str
    fields: Mapping[str, str]
    """QN, ST, CN, PW, MN, Flag, PNUM, PNO as written."""
    groups: tuple[Mapping[str, str], ...]
    """Items of CP, each with its values: `DataTime`, then `a01011-Rtd`, `a01011-Flag` …"""

    @property
    def crc_ok(self) -> bool:
        """Whether the check sum is there and right."""
        return self.crc == self.crc_computed

    @property
    def flag(self) -> int | None:
        """The Flag; None where there is no number."""
        return _whole(self.fields.get("Flag"))

    @property
    def version(self) -> int | None:
        """Edition by the version bits; None without a Flag or with bits that no edition has."""
        return None if self.flag is None else VERSIONS.get(self.flag >> 2)

    @property
    def is_split(self) -> bool:
        """Whether packet numbers are to be there."""
        return self.flag is not None and bool(self.flag & 2)

    @property
    def wants_answer(self) -> bool:
        """Whether the sender waits for an answer."""
        return self.flag is not None and bool(self.flag & 1)

    @property
    def packet(self) -> tuple[int, int] | None:
        """(number, of how many) of a split message."""
        number, of = _whole(self.fields.get("PNO")), _whole(self.fields.get("PNUM"))
        return None if number is None or of is None else (number, of)

    @property
    def command(self) -> int | None:
        """CN."""
        return _whole(self.fields.get("CN"))

    @property
    def data_at(self) -> int | None:
        """DataTime, µs UTC; None where there is none or no time. Start of the period of PERIOD_START."""
        for group in self.groups:
            if "DataTime" in group:
                return _instant(group["DataTime"])
        return None


def compose(segment: str, version: int = 2017) -> bytes:
    """The frame of a segment.

    Raises InputError where it is not ASCII or longer than the edition allows.
    """
    if not segment.isascii():
        raise InputError(f"segment is {segment!r:.60}; expected ASCII")
    if len(segment) > LONGEST[version]:
        raise InputError(f"segment has {len(segment)} characters; expected at most {LONGEST[version]}")
    data = segment.encode("ascii")
    return b"##%04d%b%04X\r\n" % (len(data), data, check_sum(data))


def parse(frame: bytes) -> Frame:
    """Take a frame apart, whatever is wrong with its check sum or length.

    Raises InputError where it does not begin with ## and four digits, or is no text.
    """
    found = _FRAME.fullmatch(frame)
    if found is None:
        raise InputError(f"frame begins with {frame[:12]!r}; expected ## and four digits")
    length, rest = int(found[1]), found[2]
    segment, after = rest[:length], rest[length:]
    crc = after[:_CRC]
    is_whole = (
        len(segment) == length and re.fullmatch(rb"[0-9A-Fa-f]{4}", crc) and after[_CRC:] in {b"", b"\r\n"}
    )
    try:
        text = segment.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"frame is not text at byte {_HEAD + error.start}; expected ASCII") from None
    fields, groups = _segment(text)
    return Frame(
        length=length,
        crc=crc.decode("ascii").upper() if is_whole else None,
        crc_computed=f"{check_sum(segment):04X}",
        segment=text,
        fields=fields,
        groups=groups,
    )


def _segment(text: str) -> tuple[dict[str, str], tuple[dict[str, str], ...]]:
    """Fields before CP, and the items inside `CP=&&…&&`; what has no = says nothing."""
    head, _, tail = text.partition("CP=&&")
    inside = tail.partition("&&")[0]
    groups = (_pairs(item.split(",")) for item in inside.split(";"))
    return _pairs(head.split(";")), tuple(group for group in groups if group)


def _pairs(items: list[str]) -> dict[str, str]:
    return {name: value for name, equals, value in (item.partition("=") for item in items) if equals and name}


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,9}", text) else None


def _instant(text: str) -> int | None:
    """YYYYMMDDhhmmss, or with milliseconds."""
    if not re.fullmatch(r"[0-9]{14}([0-9]{3})?", text):
        return None
    try:
        at = datetime.strptime(text[:14], "%Y%m%d%H%M%S").replace(tzinfo=BEIJING)
    except ValueError:
        return None
    return (at - _EPOCH) // timedelta(microseconds=MICROSECOND) + 1000 * int(text[14:] or 0)
