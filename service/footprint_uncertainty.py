"""How sure an order's figures are: what the meters, factors and samples under them may be off by.

A share is taken as a fixed part of its meter or source over the order's span: it moves with it, so a sum of shares is a
figure whose terms are weighed by these parts, and what several have in common (an instrument, a factor) counts once. The
times that the MES told and the key of a utility are taken as exact: nobody says how far they may be off.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from fastapi.concurrency import run_in_threadpool

from ingest.allocation.figures import Share
from ingest.allocation.lines import Line, kwh_per_amount
from ingest.methods.figures import KpiKind
from ingest.methods.gwp import GWP100
from ingest.plant.plan import Plan
from ingest.plant.plan_doubts import PlanTerm, source_term
from ingest.uncertainty.contributions import PointRows, reads
from service.as_of import Known
from service.footprint_documents import Co2eDocument, FootprintDocument, ShareDocument
from service.plans import PlanCache, SitePlan
from service.store import Connection
from service.uncertain_rows import grain_of, read
from service.uncertainty import (
    Sides,
    Sureness,
    UncertaintyDocument,
    because,
    cannot_be_read,
    sureness,
    why_unknown,
    with_substitutes,
)

Weighed = tuple[Share, float]
"""A share, and what its amount is multiplied by in a sum."""
_CANCELS = "its parts have different signs, so it is no part of its meter"


class FootprintSureness:
    """The sums of one footprint that are asked about, and how sure they are, found in one reading."""

    def __init__(self, plan: Plan, lines: Sequence[Line], span: tuple[int, int]) -> None:
        """Of what was allocated under a plan over a span, µs."""
        self._plan = plan
        self._span = span
        self._totals = {(line.id, line.shared): line.total for line in lines}

    async def read(
        self,
        connection: Connection,
        plans: PlanCache,
        site: SitePlan,
        sums: Mapping[str, Sequence[Weighed]],
        known: Known,
    ) -> dict[str, UncertaintyDocument]:
        """Of each sum that has a value."""
        told = {name: self._refused(members) for name, members in sums.items()}
        asked = {name: members for name, members in sums.items() if told[name] is None}
        named = [one for members in asked.values() for one in members]
        begin, end = self._span
        changes = [at for one, _ in named for at in self._changes(one) if begin < at < end]
        points = reads(self._plan, self._terms(self._plan, named) or ())
        held = dict[str, PointRows]()
        if points:
            restated = [one.id for one, _ in named if one.is_source] if site.plan.version > 1 else []
            grain_us = grain_of(begin, end, *changes)
            held = await read(connection, points, begin, end, grain_us, known, sources=restated)
        versions = {int(v) for one in held.values() for v in np.unique(one.plan_version)}
        of_versions = await plans.versions(connection, site, versions)
        found = {name: because(reason) for name, reason in told.items() if reason is not None}
        return found | await run_in_threadpool(self._found, of_versions, versions, asked, held)

    def _found(
        self,
        plans: Mapping[int, Plan],
        versions: set[int],
        asked: Mapping[str, Sequence[Weighed]],
        held: Mapping[str, PointRows],
    ) -> dict[str, UncertaintyDocument]:
        found = {}
        for name, members in asked.items():
            sides = dict[int, Sides]()
            for version, plan in plans.items():
                terms = self._terms(plan, members)
                if terms is not None:
                    sides[version] = terms, ()
            if unread := versions - sides.keys():
                found[name] = because(cannot_be_read(unread))
            else:
                found[name] = self._document(sureness(KpiKind.TOTAL, plans, sides, held), members)
        return found

    def _document(self, sure: Sureness, members: Sequence[Weighed]) -> UncertaintyDocument:
        value = float(sum((one.exact * Fraction(weight) for one, weight in members), Fraction(0)))
        substituted_us = max(one.substituted_us for one, _ in members)
        found = sure.document(value, (value, 0.0), self._span)
        assert found is not None
        return with_substitutes(found, substituted_us) or found

    def _refused(self, members: Sequence[Weighed]) -> str | None:
        """Why nothing is known of a sum; None: perhaps something is."""
        if any(self._part(one) is None for one, _ in members):
            return _CANCELS
        terms = self._terms(self._plan, members)
        return "no meter of it" if not terms else why_unknown(self._plan, KpiKind.TOTAL, (terms, ()))

    def _part(self, share: Share) -> float | None:
        """Of its line; 0 of a line that comes to nothing."""
        total = self._totals[share.id, share.shared]
        part = share.exact / total if total else Fraction(0)
        return float(part) if 0 <= part <= 1 else None

    def _terms(self, plan: Plan, members: Iterable[Weighed]) -> tuple[PlanTerm, ...] | None:
        """The terms of a sum under a version; None: it does not have all of them."""
        found = []
        for share, weight in members:
            scale = (self._part(share) or 0.0) * weight
            if not share.is_source:
                if share.id not in plan.index:
                    return None
                found.append(PlanTerm(plan.index[share.id], scale, ()))
                continue
            source = next((one for one in plan.sources if one.id == share.id), None)
            if source is None:
                return None
            term = source_term(source)
            steps = tuple((at, scale * value) for at, value in term.steps)
            found.append(replace(term, weight=scale * term.weight, steps=steps))
        return tuple(found)

    def _changes(self, share: Share) -> list[int]:
        if not share.is_source:
            return []
        source = next(one for one in self._plan.sources if one.id == share.id)
        return [at for at, _ in source.steps]


def sums_of(plan: Plan, shares: Sequence[Share], made: FootprintDocument) -> dict[str, list[Weighed]]:
    """What of a footprint has a value, by the name under which `with_uncertainty` looks for it."""
    sums = {f"share/{i}": [(one, 1.0)] for i, one in enumerate(shares) if one.amount is not None}
    for one in shares:
        kwh = None if one.is_source else kwh_per_amount(plan, one.id)
        carrier = "" if one.is_source else plan.points[plan.index[one.id]].carrier or ""
        if kwh is not None and made.energy_kwh.get(carrier) is not None:
            sums.setdefault(f"energy/{carrier}", []).append((one, kwh))
    potentials = GWP100[plan.file.gwp]
    for line in made.co2e:
        if line.co2e_kg is not None:
            sums[f"co2e/{account_of(line)}"] = [
                (one, potentials[document.gas or ""])
                for one, document in zip(shares, made.shares, strict=True)
                if document.kind == "emission" and account_of(document) == account_of(line)
            ]
    return sums


def with_uncertainty(made: FootprintDocument, found: Mapping[str, UncertaintyDocument]) -> FootprintDocument:
    """The footprint, each figure with what was found for it."""
    return made.model_copy(
        update={
            "shares": [
                one.model_copy(update={"uncertainty": found.get(f"share/{i}")})
                for i, one in enumerate(made.shares)
            ],
            "co2e": [
                one.model_copy(update={"uncertainty": found.get(f"co2e/{account_of(one)}")})
                for one in made.co2e
            ],
            "energy_uncertainty": {
                carrier: found[f"energy/{carrier}"]
                for carrier in made.energy_kwh
                if f"energy/{carrier}" in found
            },
        }
    )


def account_of(one: ShareDocument | Co2eDocument) -> tuple[object, ...]:
    """What may be added up has the same."""
    return one.scope, one.account, one.route, one.basis, one.supply
