"""Target: a CSV file of documents, judged against a plant that knows some activities."""

import random

from ingest.plant.compile import compile_plan
from ingest.plant.parse import parse_plant
from service.document_claims import claim_of
from service.document_csv import asked_rows
from service.problems import ProblemError
from tests.fuzz.fuzzing import refused
from tests.fuzz.mutation import mutated

PLANT = """
site: works
name: Works
time_zone: Europe/Berlin
factors: [{id: ef, value: 2.5, unit: t/t, source: test, trust: P}]
activities: [{id: coal, name: Coal, unit: t, resolution: 0.001}, {id: gas, name: Gas, unit: Nm3}]
analyses: [{id: ncv, name: Net calorific value, unit: GJ/t, basis: NCV}, {id: c, name: Carbon, unit: t/t}]
"""
SHA = "ab" * 32
FILES = [
    (
        "kind,number,activity,analysis,from,to,lot,quantity,value,unit,basis,file_sha256,supersedes,note\r\n"
        f'invoice,"R,1",coal,,2026-10-01,2026-11-01T06:00:00Z,A,1000.5,,t,,{SHA},,\r\n'
        f"analysis,L1,,ncv,,,A,,23.5,MJ/kg,NCV,{SHA},4,from the shift\r\n"
        f"stock_change,S,gas,,2026-10-25T02:30:00+02:00,2026-10-26,,-1e3,,,0C,{SHA},,\r\n"
    ).encode(),
    f"number,kind,from,to,quantity,activity,file_sha256\n1,other,2000-01-01,2009-12-31,0,coal,{SHA}\n".encode(),
    f"analysis,kind,number,from,to,value,file_sha256\nc,analysis,x,2026-01-01,2027-01-01,1e-3,{SHA}\n".encode(),
]
NOW = 1_795_161_600_000_000


class DocumentFiles:
    """Files of documents."""

    name = "documents"

    def __init__(self) -> None:
        self._plan = compile_plan(parse_plant(PLANT, "works.yaml"))

    def make(self, draw: random.Random) -> bytes:
        """A file."""
        data = draw.choice(FILES)
        return mutated(data, draw, FILES) if draw.random() < 0.9 else data

    def run(self, data: bytes) -> bool:
        """Whether every row of it could be proposed."""
        try:
            for line, asked in asked_rows(data):
                assert line > 1
                claim = claim_of(self._plan, asked, NOW)
                assert (claim.count is None) != (claim.value is None)
                assert len(claim.digest("somebody")) == 32
                for text in (claim.number, claim.lot or "", claim.note):
                    text.encode()
                    assert "\0" not in text
        except ProblemError as error:
            return refused(error)
        return True
