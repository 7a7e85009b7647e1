"""Targets: frames of HJ 212, and files of worked examples."""

import json
import random
from pathlib import Path

from ingest.conformance import conform
from ingest.errors import InputError
from ingest.wire.hj212 import compose, parse
from tests.fuzz.files import Folder
from tests.fuzz.fuzzing import is_sentence, refused
from tests.fuzz.mutation import changed, mutated

SEGMENTS = (
    "QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&",
    "ST=31;CN=2051;MN=1;Flag=7;PNUM=3;PNO=2;CP=&&DataTime=20250601080000;a05001-Avg=392448.6,a05001-Flag=N&&",
    "QN=20231008115215000;ST=31;CN=2011;MN=1;Flag=9;CP=&&DataTime=20231008115215250;a19001-Rtd=10.0,a19001-Flag=M&&",
)
FRAMES = [compose(segment, 2025) for segment in SEGMENTS]
EXAMPLES = json.loads(
    (Path(__file__).parents[1] / "ingest/further_examples.json").read_text(encoding="utf-8")
)
NAMES = sorted({name for case in EXAMPLES for name in case["inputs"]} | {case["op"] for case in EXAMPLES})


class Frames:
    """A frame taken apart, or refused."""

    name = "hj212"

    def make(self, draw: random.Random) -> bytes:
        """A frame, spoilt or with its check sum made right again."""
        if draw.random() < 0.5:
            return mutated(draw.choice(FRAMES), draw, FRAMES)
        segment = mutated(draw.choice(SEGMENTS).encode(), draw)
        return compose(segment.decode("ascii", "ignore")[:2000], 2025)

    def run(self, data: bytes) -> bool:
        """Whether its check sum is right."""
        try:
            frame = parse(data)
        except InputError as error:
            return refused(error)
        assert frame.data_at is None or abs(frame.data_at) < 2**62
        assert frame.version in {None, 2005, 2017, 2025}
        assert frame.packet is None or min(frame.packet) >= 0
        assert not frame.crc_ok or len(frame.segment.encode()) == frame.length
        return frame.crc_ok


class WorkedExamples:
    """Files of examples: every one computed, failed by a sentence, or the file refused."""

    name = "examples"

    def __init__(self) -> None:
        self._folder = Folder()

    def make(self, draw: random.Random) -> bytes:
        """One or two examples, changed."""
        cases = draw.sample(EXAMPLES, draw.choice((1, 2)))
        body = changed(cases, draw, NAMES) if draw.random() < 0.9 else cases
        text = json.dumps(body).encode()
        return mutated(text, draw) if draw.random() < 0.2 else text

    def run(self, data: bytes) -> bool:
        """Whether all of it came out as expected."""
        try:
            verdict = conform(self._folder.file(data))
        except InputError as error:
            return refused(error)
        for example in verdict.failed:
            assert is_sentence(str(example.fault)), example.fault
        return not verdict.failed
