"""Proposing and deciding declarations: what is checked before ingest is told.

Everything of a point is decided one after the other, under a lock on its row. A
declaration is checked when it is proposed and again when it is approved, for others may
have been approved in between. Approval writes the inbox row in its own transaction.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from ingest.plant.plan import PlanPoint
from service import winners
from service.access import Access
from service.claims import Claim
from service.declarations import DECLARATIONS, IN_FORCE
from service.plans import SitePlan
from service.problems import ProblemError
from service.proposals import Authorship, Proposal
from service.store import Connection, row
from service.times import format_instant, to_datetime


@dataclass(frozen=True, slots=True)
class Known(Proposal):
    """A declaration that was proposed."""

    point_no: int
    claim: Claim


async def propose(
    connection: Connection, site: SitePlan, claim: Claim, access: Access, key: str, now: int
) -> tuple[int, bool]:
    """Write a proposal down; its number, and whether it had been before.

    Raises:
        ProblemError: it contradicts what counts, or the key stands for another one.
    """
    point_no = await _lock(connection, site, claim.point_id)
    by = Authorship(access.name, key, claim.digest(access.name), now)
    before = await DECLARATIONS.before(connection, site.site_no, by)
    if before is not None:
        return before, True
    await _check(connection, site, point_no, claim, None)
    said = {
        "point_no": point_no,
        "kind": claim.kind,
        "at": to_datetime(claim.at),
        "body": Jsonb(await _body(connection, point_no, claim)),
        "withdraws": claim.withdraws,
        "note": claim.note,
    }
    return await DECLARATIONS.write(connection, site.site_no, said, by), False


async def _body(connection: Connection, point_no: int, claim: Claim) -> dict[str, Any]:
    """What is kept of a claim: of a correction also what it is to correct."""
    if claim.kind != "correction":
        return dict(claim.body)
    counted = await winners.at_instant(connection, point_no, claim.at)
    previous = None if counted is None or math.isnan(counted.value) else counted.value
    return {**claim.body, "supplied": counted is None, "previous_value": previous}


async def known(
    connection: Connection, access: Access, declaration_no: int, sites: Sequence[SitePlan]
) -> tuple[SitePlan, Known]:
    """A declaration of a site that the key covers, locked together with its point.

    Raises:
        ProblemError: there is none of this number.
    """
    found = await row(
        connection,
        """
        SELECT d.site_no, author, decision, decided_by, point_no, kind, p.id, at, body, note, withdraws
          FROM declaration d JOIN point p USING (point_no) WHERE declaration_no = %s
           FOR NO KEY UPDATE
        """,
        [declaration_no],
    )
    site = DECLARATIONS.site_of(declaration_no, None if found is None else found[0], access, sites)
    assert found is not None
    site_no, author, decision, decided_by, point_no, *said = found
    return site, Known(declaration_no, site_no, author, decision, decided_by, point_no, Claim(*said))


async def approve(
    connection: Connection, site: SitePlan, given: Known, access: Access, key: str, now: int
) -> bool:
    """Approve a declaration and hand it to ingest; whether the same person had done so before.

    Raises:
        ProblemError: its author asks, it is decided otherwise, or it contradicts what counts now.
    """
    if DECLARATIONS.approved_by(given, access):
        return True
    await _check(connection, site, given.point_no, given.claim, given.number)
    await DECLARATIONS.approve(connection, given, given.claim.kind, access, key, now)
    return False


async def _lock(connection: Connection, site: SitePlan, point_id: str) -> int:
    """The number of a point that nobody else declares anything of until the transaction ends."""
    found = await row(
        connection,
        "SELECT point_no FROM point WHERE site_no = %s AND id = %s FOR NO KEY UPDATE",
        [site.site_no, point_id],
    )
    if found is None:
        raise ProblemError(
            "unknown-point",
            f"There is no point {point_id!r} in the store yet: expected ingest to have begun.",
        )
    return int(found[0])


async def _check(
    connection: Connection, site: SitePlan, point_no: int, claim: Claim, declaration_no: int | None
) -> None:
    """Refuse what contradicts other declarations of the instant, or what was measured beside it."""
    if claim.point_id not in site.plan.index:
        raise DECLARATIONS.conflict(f"The plan in force has no point {claim.point_id!r}", "one that it has")
    later = await row(
        connection,
        """
        SELECT max(declaration_no) FROM declaration
         WHERE point_no = %s AND at = %s AND decision = 'approved' AND failure IS NULL AND declaration_no > %s
        """,
        [point_no, to_datetime(claim.at), declaration_no],
    )
    if later is not None and later[0] is not None:
        raise DECLARATIONS.conflict(
            f"Declaration {later[0]} of the same instant came after it and is approved", "a new one"
        )
    found = await row(
        connection,
        f"""
        SELECT d.declaration_no, d.kind FROM declaration d WHERE d.point_no = %s AND d.at = %s AND {IN_FORCE}
         ORDER BY d.declaration_no DESC LIMIT 1
        """,  # noqa: S608  fragments of this package
        [point_no, to_datetime(claim.at)],
    )
    in_force, its_kind = found or (None, None)
    if claim.kind == "withdrawal":
        if in_force != claim.withdraws:
            raise DECLARATIONS.conflict(
                f"Declaration {claim.withdraws} does not count", "the one that counts at its instant"
            )
    elif its_kind is not None and its_kind != claim.kind:
        raise DECLARATIONS.conflict(
            f"Declaration {in_force} of the same instant is a {its_kind}", "it to be withdrawn first"
        )
    elif claim.kind == "replacement" and not claim.body["forced"]:
        point = site.plan.points[site.plan.index[claim.point_id]]
        await _check_registers(connection, point, point_no, claim)


async def _check_registers(connection: Connection, point: PlanPoint, point_no: int, claim: Claim) -> None:
    """Refuse a replacement whose registers do not follow on those measured before and after it."""
    old_final, new_initial = claim.body["old_final"], claim.body["new_initial"]
    before = await winners.usable_before(connection, point_no, claim.at)
    if before is not None and old_final < before.value:
        raise ProblemError(
            "implausible-declaration",
            f"The register of {point.id} read {before.value} {point.unit} at {format_instant(before.at)}, but the old"
            f" meter's last is declared as {old_final} {point.unit}: expected at least that, or 'force'.",
        )
    after = await winners.usable_after(connection, point_no, claim.at)
    if after is not None and after.value < new_initial:
        raise ProblemError(
            "implausible-declaration",
            f"The register of {point.id} read {after.value} {point.unit} at {format_instant(after.at)}, but the new"
            f" meter's first is declared as {new_initial} {point.unit}: expected at most that, or 'force'.",
        )
