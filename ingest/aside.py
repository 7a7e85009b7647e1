"""What comes by the inbox, taken between live batches.

Rows go in the order of the inbox: people before imports. Beside a broker each turn
takes about as long as a live batch lingers, told by how long the turns before took,
whatever else the machine does: a message then waits for history no longer than it
would have waited for company. Without a broker nobody waits, and a turn takes all
that closings keep up with. Windows of KPIs are left to the live batches.
"""

from ingest.site import Clocks, SiteIngest
from ingest.source import PAYLOAD_PER_BATCH, Delivery, batch_end
from ingest.store import alert_acts, analyser_tests, declarations, seals
from ingest.store.inbox import Inbox

INBOX_ROWS = 60
"""Looked at at once; by then a turn has come to its end."""
ASKED_EVERY_US = 250_000
"""How often declarations and periods to be sealed are looked for."""
TURN_US = 70_000
"""Longer turns share among more what each of them costs, and keep live messages longer (`./run bench history`)."""
ANALYSED_DAYS = 3
"""Of what analyses say at a point, told in one turn: a day of minutes takes some tens of milliseconds."""


class Allowance:
    """How many bytes of payload fit into a turn, as turns have shown."""

    FIRST, LEAST, MOST = 32 * 1024, 1024, PAYLOAD_PER_BATCH
    SLOWER, FASTER = 0.5, 0.2
    """How much of a change is believed at once: what delays live messages sooner than what does not."""

    def __init__(self) -> None:
        self._us_a_byte = TURN_US / self.FIRST

    @property
    def payload(self) -> int:
        """Bytes."""
        return round(min(max(TURN_US / self._us_a_byte, self.LEAST), self.MOST))

    def took(self, payload: int, us: int, *, full: bool) -> None:
        """A turn with so much payload took so long; `full`: there would have been more to do."""
        if not full and us < TURN_US:
            return  # what any turn costs was shared by too few bytes
        cost = max(us, 1) / max(payload, 1)
        believed = self.SLOWER if cost > self._us_a_byte else self.FASTER
        self._us_a_byte += believed * (cost - self._us_a_byte)


class Aside:
    """The inbox of one site as a source that gives way to another."""

    def __init__(self, site_no: int, clocks: Clocks) -> None:
        self._site_no = site_no
        self._clocks = clocks
        self._inbox = Inbox(site_no, clocks.now)
        self._allowance = Allowance()
        self._row_bytes = 0
        self._ask_at = 0
        self._version = 0
        self._tell_at: int | None = 0
        self.heavy = False
        """Whether more is waiting than went into the last turn."""

    def rewind(self) -> None:
        """Hand out again what was not consumed."""
        self._inbox.rewind()

    async def turn(self, ingest: SiteIngest, *, alone: bool, caught_up: bool) -> tuple[bool, list[Delivery]]:
        """Consume some inbox rows: whether there were any, and the live deliveries that may be acknowledged by it.

        `alone`: no broker waits. `caught_up`: whether the other source has handed out all it had.
        """
        rows = await self._look(ingest, INBOX_ROWS if alone or not self.heavy else self._rows_allowed())
        free = await self._asked(ingest)
        begin = 0
        while begin < len(rows) and not ingest.more and (begin == 0 or alone):
            most_bytes = PAYLOAD_PER_BATCH if alone else self._allowance.payload
            chunk = rows[begin : begin + batch_end(rows[begin:], most_bytes)]
            begun = self._clocks.monotonic()
            free += (
                await ingest.take(chunk, caught_up=caught_up, inbox=True, windows=alone or not self.heavy)
                or ()
            )
            took_us = self._clocks.monotonic() - begun
            begin += len(chunk)
            self._allowance.took(sum(len(row.payload) for row in chunk), took_us, full=begin < len(rows))
        self._inbox.rewind()
        self.heavy = begin < len(rows)
        return bool(rows), free

    def _rows_allowed(self) -> int:
        """As many as fit, and one that shows that there are more."""
        return min(self._allowance.payload // max(self._row_bytes, 1) + 2, INBOX_ROWS)

    async def _look(self, ingest: SiteIngest, most: int) -> list[Delivery]:
        rows: list[Delivery] = []

        async def look() -> None:
            rows[:] = await self._inbox.collect(await ingest.connection(), most)

        await ingest.patiently(look)
        if rows:
            self._row_bytes = sum(len(row.payload) for row in rows) // len(rows)
        return rows

    async def _asked(self, ingest: SiteIngest) -> list[Delivery]:
        """Do what people have asked for besides readings; between the turns of an import not every time."""
        now = self._clocks.monotonic()
        if self.heavy and now < self._ask_at:
            return []
        self._ask_at = now + ASKED_EVERY_US
        declared: list[declarations.Declaration] = []
        periods: list[seals.SealAsked] = []
        tests: list[analyser_tests.TestAsked] = []
        acts: list[alert_acts.ActsAsked] = []

        async def look() -> None:
            connection = await ingest.connection()
            declared[:] = await declarations.waiting(
                connection, self._site_no, self._clocks.now(), INBOX_ROWS
            )
            periods[:] = await seals.waiting(connection, self._site_no, INBOX_ROWS, ingest.plan)
            tests[:] = await analyser_tests.waiting(connection, self._site_no, INBOX_ROWS)
            acts[:] = [await alert_acts.waiting(connection, self._site_no, INBOX_ROWS)]

        await ingest.patiently(look)
        free: list[Delivery] = []
        for declaration in declared:
            free += await ingest.declare(declaration)
        for act in acts:
            if act.inbox:
                await ingest.heed(act)
        for test in tests:
            free += await ingest.examine(test)
        for period in periods:
            free += await ingest.seal(period)
            self._tell_at = 0
        if ingest.plan.mes.units:
            await ingest.account()
        return free + await self._tell(ingest)

    async def _tell(self, ingest: SiteIngest) -> list[Delivery]:
        """Say what analyses give, when something was approved, time has come, or another version is taken."""
        if ingest.plan.version == self._version and (
            self._tell_at is None or self._clocks.now() < self._tell_at
        ):
            return []
        self._version = ingest.plan.version
        free, self._tell_at = await ingest.tell_analysed(self._site_no, ANALYSED_DAYS)
        return free
