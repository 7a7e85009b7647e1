"""Scenarios of alert rules in plain text, run through the pure pipeline under a clock set by hand.

    # What it shows, in a sentence
    - {id: high, point: line/power, above: 800, hold: 1min}          rules, as in a plant file
    ---
    day 2026-11-20
    08:00:00                      line/power 700                     -> nothing
    08:00:10 to 08:01:00 by 10s   line/power 820                     -> high pending
    08:01:10                      line/power 820                     -> high fires
    08:01:20                      restart, nothing                   -> high firing

A line is an instant of the mill's clock (`02:30b`: the second 02:30 of a night in autumn; `by` repeats
the line), what comes, and what is expected afterwards. What comes: `POINT VALUE [QUALITY] [REASON]`, also
`POINT VALUE of 07:55` for a reading that comes late; `nothing` (a tick); `restart`; `silence RULE until
09:00`; `usual 80 81 79` for what past days had at this hour. Expected: `RULE fires|resolves|is told` (people
are told at this moment), `RULE fires unheard REASON`, `RULE resolves unheard`,
`RULE pending|firing|inactive`; `nothing`: none of the first. Whatever is told and is not expected fails; of
a repeated line only the first and the last are asked what is expected of states.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from ingest.model import NO_SEQ, SECOND, Quality, Reason
from ingest.pipeline.alerted import Kept, Told
from ingest.pipeline.alerts import AlertBoard, Silence
from ingest.pipeline.batch import Batch, Readings
from ingest.pipeline.pipeline import SitePipeline
from ingest.pipeline.state import SiteState
from ingest.plant import compile_plan, parse_plant
from ingest.plant.fields import parse_span
from kernels.rule_rows import FIRED, RESOLVED, TOLD

HERE = Path(__file__).parent
ZONE = ZoneInfo("Europe/Berlin")
_LINE = re.compile(
    r"(?P<at>\S+)(?: to (?P<end>\S+) by (?P<step>\S+))?\s+(?P<what>.*?)(?:\s+-> (?P<then>.*))?"
)
_STATES = ("inactive", "pending", "firing")
_MUTES = {0: "", 1: "historical", 2: "silenced", 3: "parent", 4: "dampened"}


@dataclass
class Mill:
    """A mill with rules, its pipeline, and what a store would have of it."""

    rules: str
    day: str = "2026-11-20"
    stored: dict[str, Kept] = field(default_factory=dict)
    said: list[Told] = field(default_factory=list)
    silences: list[Silence] = field(default_factory=list)
    past: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        text = (HERE / "mill.yaml").read_text(encoding="utf-8") + "alerts:\n" + self.rules
        plan = compile_plan(parse_plant(text, "mill.yaml"))
        self.pipeline = SitePipeline(plan, SiteState(plan))
        self.closed = Batch()

    def instant(self, text: str) -> int:
        """µs of a time of the mill's day."""
        hours, minutes, *seconds = text.removesuffix("b").split(":")
        wall = datetime.fromisoformat(f"{self.day}T{hours}:{minutes}:{seconds[0] if seconds else '00'}")
        at = wall.replace(tzinfo=ZONE, fold=int(text.endswith("b")))
        return round(at.timestamp()) * SECOND

    def step(self, now: int, what: list[str]) -> list[Told]:
        """Let things come at an instant; what became of episodes."""
        readings = []
        for one in what:
            match one.split():
                case ["nothing"]:
                    pass
                case ["restart"]:
                    self.restart()
                case ["silence", rule, "until", end]:
                    number = len(self.silences) + 1
                    self.silences.append(Silence(number, rule, None, now, self.instant(end)))
                    self.pipeline.alerts.silence(self.silences)
                case ["usual", *values]:
                    self.past = [float(value) for value in values]
                case words:
                    readings.append(self.reading(now, words))
        return self.feed(now, Readings.join(readings) if readings else Readings.empty())

    def reading(self, now: int, words: list[str]) -> Readings:
        """`POINT VALUE [QUALITY] [REASON] [of TIME]`."""
        at = now
        if len(words) > 2 and words[-2] == "of":
            at, words = self.instant(words[-1]), words[:-2]
        plan = self.pipeline.plan
        point = plan.index[f"mill/{words[0]}"]
        code = plan.points[point].states.get(words[1])
        value = float(words[1] if code is None else code)
        quality = Quality[words[2].upper()] if len(words) > 2 else Quality.GOOD
        reasons = Reason[words[3].upper()] if len(words) > 3 else 0
        ints = [np.array([n], np.int64) for n in (point, at, now, 0, quality, reasons, NO_SEQ)]
        return Readings(ints[0], ints[1], ints[2], np.array([value]), *ints[3:])

    def feed(self, now: int, readings: Readings) -> list[Told]:
        """One batch, committed."""
        board = self.pipeline.alerts
        if (wanted := board.wanted()) is not None:
            board.compare_with(dict.fromkeys(wanted, self.past))
        batch = self.pipeline.process(
            readings, np.arange(len(readings)), monotonic_us=now, caught_up=True, latest=True, now_us=now
        )  # fmt: skip
        self.closed.intervals = np.concatenate([self.closed.intervals, batch.intervals])
        self.closed.emissions = np.concatenate([self.closed.emissions, batch.emissions])
        if batch.alerts is None:
            return []
        self.stored |= board.kept(batch.alerts)
        board.settle(batch.alerts)
        self.said += batch.alerts.told
        return batch.alerts.told

    def restart(self) -> None:
        """What a new process has: the readings' state, and the rows of the store."""
        self.pipeline.alerts = AlertBoard(self.pipeline.state)
        assert self.pipeline.alerts.restore(self.stored) == []
        self.pipeline.alerts.recall(self.closed)
        self.pipeline.alerts.silence(self.silences)

    def state_of(self, rule: str) -> str:
        """Of a rule now."""
        board = self.pipeline.alerts
        place = [one.id for one in board.alerts.rules].index(rule)
        return _STATES[int(board.standing.states["state"][place])]


def told_as(one: Told) -> str:
    """A change of an episode as scenarios write it."""
    if one.what == TOLD:
        return f"{one.rule} is told"
    word = {FIRED: "fires", RESOLVED: "resolves"}[one.what]
    if not one.mute:
        return f"{one.rule} {word}"
    why = f" {_MUTES[one.mute]}" if one.what == FIRED else ""
    return f"{one.rule} {word} unheard{why}"


def run(text: str) -> Mill:
    """Run a scenario; AssertionError with the line that does not hold."""
    head, _, script = text.partition("---\n")
    mill = Mill("\n".join(line for line in head.splitlines() if not line.startswith("#")) + "\n")
    for line in script.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("day "):
            mill.day = line.split()[1]
            continue
        found = _LINE.fullmatch(line.strip())
        assert found is not None, f"not understood: {line}"
        _play(mill, line, found)
    return mill


def _play(mill: Mill, line: str, found: re.Match[str]) -> None:
    begin = mill.instant(found["at"])
    end = mill.instant(found["end"]) if found["end"] else begin
    step = parse_span(found["step"]) if found["step"] else SECOND
    expected = [one.strip() for one in (found["then"] or "nothing").split(",")]
    states = [one.split() for one in expected if one.split()[-1] in _STATES]
    events = sorted(one for one in expected if one != "nothing" and one.split()[-1] not in _STATES)
    said: list[str] = []
    for now in range(begin, end + 1, step):
        said += [told_as(one) for one in mill.step(now, [one.strip() for one in found["what"].split(",")])]
        if now in (begin, end):
            for rule, state in states:
                assert mill.state_of(rule) == state, (
                    f"{rule} is {mill.state_of(rule)} at {_clock(now)} of: {line}"
                )
    assert sorted(said) == events, f"{said} came of: {line}"


def _clock(now: int) -> str:
    return (datetime.fromtimestamp(0, ZONE) + timedelta(microseconds=now)).astimezone(ZONE).isoformat()
