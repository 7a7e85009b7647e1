"""Emissions that documents tell: pieces of documents, spread over the span that is asked for.

A document's amount in a span is a difference of whole counts (`ingest.methods.documented`),
so spans that meet add up; masses are summed exactly and rounded once. Pieces are what
ingest made of the documents in force, each under its batch, so an earlier batch gives the
figures of its time. A span ends where it was asked to: documents close nothing.
"""

from dataclasses import dataclass, field

from ingest.methods.documented import Emitted, Quantity, covered_us, mass_kg, rounded
from ingest.methods.figures import NoFigure
from ingest.model import Quality, Reason
from ingest.plant.papers import PlanDocumented
from ingest.plant.plan import Plan
from service.as_of import Known
from service.document_uncertainty import PieceTold, document_sureness
from service.factor_book import FactorBook, factor_book
from service.figures import QUALITY_NAMES, finite, reason_names, share, with_gap
from service.inventory import EmissionFigure, GroupBy, Potentials, apart, group_of
from service.plans import PlanCache, SitePlan
from service.problems import ProblemError
from service.store import Connection, rows
from service.times import to_datetime
from service.uncertainty import Sureness

MOST_PIECES = 400_000
"""Pieces of documents one answer may read."""


@dataclass(slots=True)
class SourceTold:
    """What documents tell of one source."""

    source: PlanDocumented
    pieces: list[PieceTold] = field(default_factory=list)
    documents: set[int] = field(default_factory=set)
    wants: NoFigure | None = None
    """Why a mass is not known, where one is not."""
    defaulted: set[tuple[int, str]] = field(default_factory=set)
    """Plan version and id of factors that stood in for analyses."""
    versions: set[int] = field(default_factory=set)
    revision: int = 0
    known_at: int = 0

    @property
    def parts(self) -> list[Emitted]:
        """What its pieces emit."""
        return [piece.emitted for piece in self.pieces]


async def of_site(
    connection: Connection,
    plans: PlanCache,
    site: SitePlan,
    from_at: int,
    to_at: int,
    group_by: GroupBy,
    known: Known,
    potentials: Potentials,
) -> tuple[list[EmissionFigure], FactorBook, dict[str, Sureness]]:
    """The documented groups of one site over [from_at, to_at) µs, cut to interval edges; all `known`.

    And by the id of a source that is a line of its own how sure that is.
    """
    plan = site.plan
    from_at, to_at = from_at - from_at % plan.interval_us, to_at - to_at % plan.interval_us
    told = {source.id: SourceTold(source) for source in plan.documented}
    await _read(connection, told, from_at, to_at, known)
    groups: dict[tuple[str | None, ...], list[SourceTold]] = {}
    for one in told.values():
        groups.setdefault(apart(one.source, group_by, "documented"), []).append(one)
    book = await factor_book(connection, plan, {version for one in told.values() for version in one.versions})
    span = from_at, max(from_at, to_at)
    told_of = [[(one.source, one.pieces) for one in members] for members in groups.values()]
    sure = await document_sureness(connection, plans, site, told_of, span)
    apart_of = {
        members[0].source.id: one
        for members, one in zip(groups.values(), sure, strict=True)
        if len(members) == 1
    }
    figures = [
        _figure(
            plan,
            group_by,
            group_of(members[0].source, group_by, "documented"),
            members,
            span,
            potentials,
            book,
            one,
        )
        for members, one in zip(groups.values(), sure, strict=True)
    ]
    return figures, book, apart_of


async def _read(
    connection: Connection, told: dict[str, SourceTold], from_at: int, to_at: int, known: Known
) -> None:
    found = await rows(
        connection,
        """
        SELECT s.id, d.document_no, d.from_at, d.to_at, d.count, p.from_at, p.to_at, p.kg_per_count, p.analyses,
               p.defaulted, p.plan_version, p.revision, p.known_at
          FROM document_piece p JOIN source s USING (source_no) JOIN document d USING (document_no)
         WHERE s.id = ANY(%(sources)s) AND p.from_at < %(to)s AND p.to_at > %(from)s
           AND p.batch_no <= %(batch)s AND (p.superseded_batch IS NULL OR p.superseded_batch > %(batch)s)
         ORDER BY s.id, d.document_no, p.from_at LIMIT %(limit)s
        """,
        {
            "sources": list(told),
            "from": to_datetime(from_at),
            "to": to_datetime(to_at),
            "batch": known.batch_no,
            "limit": MOST_PIECES + 1,
        },
    )
    if len(found) > MOST_PIECES:
        raise ProblemError(
            "too-much-asked",
            f"The emissions would be summed from more than {MOST_PIECES} parts of documents: expected at most so many;"
            " ask for a shorter span or one site.",
        )
    for source, number, begin, end, count, *piece in found:
        piece_from, piece_to, kg_per_count, analyses, defaulted, version, revision, known_at = piece
        one = told[source]
        emitted = Emitted(Quantity(number, begin, end, count), piece_from, piece_to, kg_per_count)
        one.pieces.append(PieceTold(emitted, version, analyses))
        if kg_per_count is None:
            unsaid = len(defaulted) < sum(analysis is None for analysis in analyses)
            one.wants = NoFigure.NO_ANALYSIS if unsaid else one.wants or NoFigure.NO_FACTOR
        one.documents |= {number, *(analysis for analysis in analyses if analysis is not None)}
        one.defaulted |= {(version, name) for name in defaulted}
        one.versions.add(version)
        one.revision = max(one.revision, revision)
        one.known_at = max(one.known_at, known_at)


def _figure(
    plan: Plan,
    group_by: GroupBy,
    group: str,
    members: list[SourceTold],
    span: tuple[int, int],
    potentials: Potentials,
    book: FactorBook,
    sure: Sureness,
) -> EmissionFigure:
    source, (from_at, to_at), (value, reason) = members[0].source, span, _mass(members, span)
    covered = [covered_us([(part.from_at, part.to_at) for part in one.parts], *span) for one in members]
    defaulted = {name for one in members for _, name in one.defaulted}
    doubtful = {name for one in members for version, name in one.defaulted if book.default(version, name)}
    factors, unconfirmed = book.of([(one.source, one.versions) for one in members])
    quality = Quality.BAD if reason is not None else Quality.UNCERTAIN if defaulted else Quality.GOOD
    manual = int(Reason.MANUAL) if any(one.parts for one in members) else 0
    return EmissionFigure(
        id=group if group_by == "source" else f"{plan.site}/{group_by}/{group}",
        unit="kg",
        window=to_at - from_at or None,
        from_=from_at,
        to=to_at,
        value=value,
        reason=reason,
        quality=QUALITY_NAMES[quality],
        reasons=reason_names(with_gap(manual, min(covered), to_at - from_at)),
        valid_share=share(min(covered) if reason is None else 0, to_at - from_at),
        substituted_share=0.0,
        revision=max(one.revision for one in members),
        known_at=max(one.known_at for one in members) or None,
        data_age_s=None,
        uncertainty=sure.document(value, (value or 0.0, 0.0), span),
        method=" ".join(dict.fromkeys(one.source.method for one in members)),
        plan_version=max((version for one in members for version in one.versions), default=plan.version),
        site=plan.site,
        group=group,
        route="calculated",
        gas=source.gas,
        basis=source.basis,
        supply=source.supply,
        account=source.account,
        evidence="documented",
        co2e_kg=potentials.co2e_kg(source.gas, value),
        sources=[one.source.id for one in members],
        factors=factors,
        unconfirmed=sorted({*unconfirmed, *doubtful}),
        defaulted=sorted(defaulted),
        documents=sorted({number for one in members for number in one.documents}),
    )


def _mass(members: list[SourceTold], span: tuple[int, int]) -> tuple[float | None, NoFigure | None]:
    """The mass of a group, or why there is none."""
    if not all(one.parts for one in members):
        return None, NoFigure.GAP if span[1] > span[0] else NoFigure.NO_DATA
    exact = mass_kg((part for one in members for part in one.parts), *span)
    if exact is None:
        return None, next(one.wants for one in members if one.wants is not None)
    return finite(rounded(exact), None)
