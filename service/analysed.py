"""Which approved analyses stand behind what a meter's source emitted, now or as an earlier batch knew them."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from ingest.methods.documented import Analysed
from ingest.plant.plan import Plan, PlanSource
from service.as_of import Known
from service.store import Connection, rows
from service.times import to_datetime

_TAKEN = """
    SELECT d.document_no, d.batch_no, d.subject, d.value, d.from_at, d.to_at, d.lot
      FROM document d JOIN site s USING (site_no)
     WHERE s.id = %(site)s AND d.kind = 'analysis' AND d.subject = ANY(%(subjects)s) AND d.lot IS NULL
       AND d.from_at < %(to)s AND d.to_at > %(from)s AND d.batch_no <= %(batch)s
       AND NOT EXISTS (SELECT FROM document w WHERE w.withdraws = d.document_no AND w.batch_no <= %(batch)s)
       AND NOT EXISTS (SELECT FROM document r WHERE r.supersedes = d.document_no AND r.batch_no <= %(batch)s
                       AND NOT EXISTS (SELECT FROM document w
                                        WHERE w.withdraws = r.document_no AND w.batch_no <= %(batch)s))
"""


async def documents_of(
    connection: Connection, plan: Plan, sources: Iterable[PlanSource], span: tuple[int, int], known: Known
) -> Mapping[str, Sequence[int]]:
    """By source id the documents of the analyses that its factor point showed somewhere in a span, µs."""
    shown = {
        source.id: analysis[0]
        for source in sources
        if source.factor_point is not None
        and (analysis := plan.points[source.factor_point].analysis) is not None
    }
    if not shown:
        return {}
    asked = {
        "site": plan.site, "subjects": sorted(set(shown.values())), "batch": known.batch_no,
        "from": to_datetime(span[0]), "to": to_datetime(span[1]),
    }  # fmt: skip
    taken = [Analysed(*row) for row in await rows(connection, _TAKEN, asked)]
    return {
        source: in_force([one for one in taken if one.analysis == analysis], span)
        for source, analysis in shown.items()
    }


def in_force(analyses: Sequence[Analysed], span: tuple[int, int]) -> list[int]:
    """Those that are the newest of all that are valid, somewhere in a span, µs."""
    spans = [(one.batch_no, one.from_at or 0, one.to_at or 0, one.document_no) for one in analyses]
    edges = {at for _, *ends, _ in spans for at in ends if span[0] < at < span[1]}
    found = set()
    for begin, _ in pairwise(sorted({*span, *edges})):
        valid = [(batch, number) for batch, first, last, number in spans if first <= begin < last]
        found |= {number for _, number in sorted(valid)[-1:]}
    return sorted(found)
