"""Proposals: what one key says, and the key of a second person lets take effect.

Declarations and documents are proposals. Each is a row of a table that is called as
they are and has the same audit columns: who proposed it, who decided it, the inbox row
that hands it to ingest, and what ingest made of it. A row is never deleted, and what
was asked is known again by its Idempotency-Key and a digest. What a proposal must not
contradict, and under which lock that is checked, is its table's business.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from psycopg import sql
from psycopg.types.json import Jsonb

from ingest.store.audit import Actor, Change, record
from service import inbox
from service.access import Access
from service.plans import SitePlan
from service.problems import ProblemError
from service.store import Connection, row
from service.times import to_datetime


@dataclass(frozen=True, slots=True)
class Authorship:
    """Who proposes something, and under which key."""

    author: str
    idempotency_key: str
    digest: bytes
    """What tells the proposal from every other."""
    at: int
    """µs."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One that was proposed."""

    number: int
    site_no: int
    author: str
    decision: str | None
    decided_by: str | None


@dataclass(frozen=True, slots=True)
class Proposals:
    """The proposals of one table."""

    word: str
    """What one is called: its table, and in its problems and its inbox row."""

    async def before(self, connection: Connection, site_no: int, by: Authorship) -> int | None:
        """The number of the same proposal, if it was made before.

        Raises:
            ProblemError: the key stands for another one.
        """
        found = await row(
            connection,
            f"SELECT {self.word}_no, digest = %s FROM {self.word} WHERE site_no = %s AND idempotency_key = %s",  # noqa: S608  a word of this package
            [by.digest, site_no, by.idempotency_key],
        )
        if found is None:
            return None
        if not found[1]:
            raise self._reused(by)
        return int(found[0])

    async def write(
        self, connection: Connection, site_no: int, said: Mapping[str, Any], by: Authorship
    ) -> int:
        """Write a proposal down, `said` in columns of its own table; its number.

        Raises:
            ProblemError: the key has come to stand for another one meanwhile.
        """
        columns = {
            "site_no": site_no,
            **said,
            "author": by.author,
            "proposed_at": to_datetime(by.at),
            "idempotency_key": by.idempotency_key,
            "digest": by.digest,
        }
        query = sql.SQL(
            "INSERT INTO {} ({}) VALUES ({}) ON CONFLICT (site_no, idempotency_key) DO NOTHING RETURNING {}"
        ).format(
            sql.Identifier(self.word),
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.SQL(", ").join(sql.Placeholder() * len(columns)),
            sql.Identifier(f"{self.word}_no"),
        )
        made = await row(connection, query, list(columns.values()))
        if made is None:
            raise self._reused(by)
        after = {"state": "proposed", **{name: _plain(value) for name, value in said.items()}}
        change = Change(f"{self.word}.proposed", f"{self.word} {made[0]}", site_no, None, after)
        await record(connection, Actor(by.author, "api"), change)
        return int(made[0])

    def site_of(
        self, number: int, site_no: int | None, access: Access, sites: Sequence[SitePlan]
    ) -> SitePlan:
        """The site of a proposal that the key covers; `site_no` is None where there is no such row.

        Raises:
            ProblemError: for this key there is none of this number.
        """
        site = next((site for site in sites if site.site_no == site_no), None)
        if site is None or not access.covers(site.plan.site):
            raise ProblemError(f"unknown-{self.word}", f"There is no {self.word} {number}.")
        return site

    def approved_by(self, given: Proposal, access: Access) -> bool:
        """Whether the same person has approved it before; if not, they may.

        Raises:
            ProblemError: its author asks, or it is decided otherwise.
        """
        if (given.decision, given.decided_by) == ("approved", access.name):
            return True
        if given.author == access.name:
            raise ProblemError(
                "second-person-needed",
                f"{self.word.capitalize()} {given.number} was proposed by key {given.author!r} itself: expected"
                " the key of a second person to approve it.",
            )
        self._check_undecided(given)
        return False

    async def approve(
        self, connection: Connection, given: Proposal, inbox_kind: str, access: Access, key: str, now: int
    ) -> None:
        """Approve one that `approved_by` lets through, and hand it to ingest in the same transaction."""
        body = msgspec.json.encode({self.word: given.number}).decode()
        receipt = await inbox.accept(connection, given.site_no, inbox_kind, body, key, access.name)
        await self._decide(connection, given, "approved", access, now, receipt.inbox_no)

    async def refuse(self, connection: Connection, given: Proposal, access: Access, now: int) -> bool:
        """Refuse a proposal, or take one's own back; whether the same person had done so before.

        Raises:
            ProblemError: it is decided otherwise.
        """
        if (given.decision, given.decided_by) == ("refused", access.name):
            return True
        self._check_undecided(given)
        await self._decide(connection, given, "refused", access, now, None)
        return False

    def conflict(self, what: str, expected: str) -> ProblemError:
        """The problem of a proposal that contradicts what counts, or what has become of it."""
        return ProblemError(f"{self.word}-conflict", f"{what}: expected {expected}.")

    def _check_undecided(self, given: Proposal) -> None:
        if given.decision is not None:
            raise self.conflict(
                f"{self.word.capitalize()} {given.number} is {given.decision} by key {given.decided_by!r}",
                "one that is not decided yet",
            )

    async def _decide(
        self,
        connection: Connection,
        given: Proposal,
        decision: str,
        access: Access,
        now: int,
        inbox_no: int | None,
    ) -> None:
        await connection.execute(
            f"""
            UPDATE {self.word} SET decision = %s, decided_by = %s, decided_at = %s, inbox_no = %s
             WHERE {self.word}_no = %s
            """,  # noqa: S608  a word of this package
            [decision, access.name, to_datetime(now), inbox_no, given.number],
        )
        subject, after = f"{self.word} {given.number}", {"state": decision}
        change = Change(f"{self.word}.{decision}", subject, given.site_no, {"state": "proposed"}, after)
        await record(connection, Actor(access.name, "api"), change)

    def _reused(self, by: Authorship) -> ProblemError:
        return ProblemError(
            "idempotency-key-reused",
            f"Idempotency-Key {by.idempotency_key!r} was used for another {self.word}: expected a new one.",
        )


def _plain(value: Any) -> Any:
    """A column's value as JSON has it."""
    match value:
        case Jsonb():
            return value.obj
        case datetime():
            return value.isoformat()
        case _:
            return value
