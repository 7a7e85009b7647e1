"""A plant of three units whose truth the learned model does not know, its past, and 216 schedules for its next week.

Hidden from the model: energy that is not linear in quantity, drift (wear) by the day, ambient temperature over the day,
a ramp that depends on how long the unit stood, idling that dies down, noise of every run, of its rate and of each day's
grid. It is simulated minute by minute, with nothing of the scoring's arithmetic.
"""

from dataclasses import dataclass, field

import numpy as np

from service.schedules.learning import Floats, Ints, Learned, Runs
from service.schedules.scoring import Blocks, Candidates

UNITS, PRODUCTS, ORDERS = 3, 4, 50
PAST_DAYS, DAYS = 42, 10
DAY = 1440
MINUTE_US = 60_000_000
DEMAND_CHARGE = 8.0
BASE_NOISE_KW = 15.0


@dataclass(frozen=True)
class Truth:
    """Of candidates as they would have come, (realisations, candidates) each; the first is the one that came."""

    energy_cost: Floats
    demand_cost: Floats
    co2_kg: Floats

    @property
    def cost(self) -> Floats:
        """Energy and demand."""
        return self.energy_cost + self.demand_cost


@dataclass
class Plant:
    """Hidden parameters of a seed."""

    seed: int
    rng: np.random.Generator = field(init=False)
    peak_so_far_kw: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self.rng = rng = np.random.default_rng(self.seed)
        self.power = rng.uniform(180, 420, (UNITS, 1)) * rng.uniform(0.8, 1.25, (UNITS, PRODUCTS))
        self.rate = rng.uniform(8, 12, (UNITS, PRODUCTS))
        self.bend = rng.uniform(0.0, 0.25, PRODUCTS)
        self.ramp = rng.uniform(40, 120, UNITS)
        self.change_kw = rng.uniform(60, 140, UNITS)
        self.change_minutes = rng.integers(15, 75, (PRODUCTS, PRODUCTS))
        np.fill_diagonal(self.change_minutes, 0)
        self.idle = rng.uniform(20, 60, UNITS)
        self.month_day = int(rng.integers(0, 21))
        """Days of the demand period that are behind when the next ones are planned."""
        self.wear = rng.uniform(-0.001, 0.002, UNITS)
        hours = np.arange((PAST_DAYS + DAYS) * 24)
        weather = np.repeat(rng.normal(1, 0.08, PAST_DAYS + DAYS), 24)
        solar = 0.16 * np.maximum(0, np.sin((hours % 24 - 6) / 12 * np.pi))
        self.grid: Floats = (0.42 - solar) * weather + rng.normal(0, 0.01, hours.size)
        self.base: Floats = self._base(hours.size)
        hour = np.arange(24)
        self.price: Floats = np.where((hour >= 7) & (hour < 21), 0.22, 0.12) + np.where(
            (hour >= 17) & (hour < 20), 0.10, 0.0
        )

    def consume(
        self,
        unit: Ints,
        product: Ints,
        quantity: Floats,
        start: Ints,
        noise: Floats,
        first_day: int,
        minutes: int,
    ) -> tuple[Floats, list[tuple[float, ...]]]:
        """Power kW by minute of one schedule as it came, and of each run what its stretches took.

        An order waits until the unit is free and made ready. `noise` is (orders, 3): load, rate, ramp.
        """
        load = np.zeros(minutes)
        told: list[tuple[float, ...]] = []
        free, made = [0] * UNITS, [-1] * UNITS
        for i in np.argsort(start, kind="stable"):
            u, p, q = int(unit[i]), int(product[i]), float(quantity[i])
            begin, stood, idle, idle_kwh, change = self._ready(load, u, p, free[u], made[u], int(start[i]))
            ramp = 12
            ramp_kwh = self.ramp[u] * (0.4 + 0.6 * (1 - np.exp(-stood / 240))) * noise[i, 2]
            load[begin : begin + ramp] += ramp_kwh * 60 / ramp
            length = max(1, round(q / self.rate[u, p] / noise[i, 1] * 60))
            at = np.arange(begin + ramp, begin + ramp + length)
            wear = 1 + self.wear[u] * (first_day + at / DAY)
            warm = 1 + 0.04 * np.sin((at % DAY / DAY - 0.375) * 2 * np.pi)
            bent = 1 + self.bend[p] * (q / 35 - 1)
            power = self.power[u, p] * wear * warm * bent * noise[i, 0]
            load[begin + ramp : begin + ramp + length] += power
            told.append(
                (
                    *(
                        u,
                        p,
                        made[u],
                        begin,
                        at[-1] + 1,
                        q,
                        power.sum() / 60,
                        length / 60,
                        ramp_kwh,
                        ramp / 60,
                    ),
                    *(self.change_kw[u] * change / 60, change / 60, idle_kwh, idle / 60),
                )
            )
            free[u], made[u] = int(at[-1]) + 1, p
        return load, told

    def _ready(
        self, load: Floats, u: int, p: int, free: int, made: int, start: int
    ) -> tuple[int, float, float, float, float]:
        """A unit stands and is made ready for a product: begin, minutes stood and idle, kWh of that, change minutes."""
        if made < 0:
            return start, 600.0, 0.0, 0.0, 0.0
        change = float(self.change_minutes[made, p])
        begin = max(start, free + int(change))
        ready = begin - int(change)
        dying = self.idle[u] * (0.6 + 0.4 * np.exp(-np.arange(ready - free) / 180))
        load[free:ready] += dying
        load[ready:begin] += self.change_kw[u]
        return begin, float(begin - free), float(ready - free), float(dying.sum() / 60), change

    def noise(self, orders: int) -> Floats:
        """Of so many runs: load 5 %, rate 4 %, ramp 10 %."""
        return self.rng.lognormal(0, (0.05, 0.04, 0.10), (orders, 3))

    def past(self) -> Runs:
        """Some weeks of orders as they came; one run in twenty was not measured throughout."""
        count = 12 * PAST_DAYS * UNITS // 3
        unit = np.arange(count) % UNITS
        slot = PAST_DAYS * DAY // (count // UNITS + 2)
        turn = np.arange(count) // UNITS
        # Three orders in a row, then a stand: warm and cold starts.
        start = turn // 3 * 3 * slot + turn % 3 * 10 + self.rng.integers(0, 90, count)
        load, told = self.consume(
            unit,
            self.rng.integers(0, PRODUCTS, count),
            self.rng.uniform(10, 40, count),
            start,
            self.noise(count),
            -PAST_DAYS,
            3 * PAST_DAYS * DAY,
        )
        base = np.repeat(self.base[: PAST_DAYS * 24], 60)
        quarters = (load[: PAST_DAYS * DAY] + base).reshape(-1, 15).mean(1)
        self.peak_so_far_kw = float(quarters[(PAST_DAYS - self.month_day) * 96 :].max(initial=0.0))
        table = np.array(sorted(told, key=lambda run: run[3]))
        table[self.rng.random(count) < 0.05, 6] = np.nan
        u, p, made, begin, end = table[:, :5].astype(np.int64).T
        us = (begin * MINUTE_US, end * MINUTE_US)
        return Runs(u, p, made, us[0], us[1], *(column.copy() for column in table[:, 5:].T))

    def blocks(self, grid_by_hour: Floats) -> Blocks:
        """The next days in quarters of an hour, with what a planner knows: mean base load, price, factors forecast."""
        hour = np.arange(DAYS * 96) // 4 % 24
        base = self.base[: PAST_DAYS * 24].reshape(-1, 24).mean(0)
        return Blocks(
            0,
            15 * MINUTE_US,
            base[hour] / 4,
            self.price[hour],
            grid_by_hour[hour],
            DEMAND_CHARGE,
            self.peak_so_far_kw,
        )

    def candidates(self, learned: Learned) -> Candidates:
        """Six sequences by six assignments by six times of the same 50 orders."""
        product = self.rng.integers(0, PRODUCTS, ORDERS)
        quantity = self.rng.uniform(10, 40, ORDERS)
        rows = [
            self._plan(learned, product, quantity, sequence, assignment, timing)
            for sequence in range(6)
            for assignment in range(6)
            for timing in range(6)
        ]
        unit, start = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
        shape = unit.shape
        return Candidates(
            unit,
            np.broadcast_to(product, shape),
            np.broadcast_to(quantity, shape),
            start * MINUTE_US,
            np.full(shape, np.nan),
        )

    def _plan(
        self, learned: Learned, product: Ints, quantity: Floats, sequence: int, assignment: int, timing: int
    ) -> tuple[Ints, Ints]:
        order = np.random.default_rng((self.seed, sequence)).permutation(ORDERS)
        if sequence >= 3:
            order = order[np.argsort(product[order], kind="stable")]
        luck = np.random.default_rng((self.seed, 7, assignment)).random(UNITS) * 0.4 + 0.8
        unit, start = np.zeros(ORDERS, np.int64), np.zeros(ORDERS, np.int64)
        free, made = [0.0] * UNITS, [-1] * UNITS
        gap, avoid = [(10, ()), (60, ()), (10, (17, 20)), (10, (7, 11)), (10, (7, 20)), (180, ())][timing]
        for i in order:
            u = int(np.argmin(np.array(free) * luck))
            p = int(product[i])
            begin = free[u] + gap + (60 * learned.changeover_hours[u, made[u], p] if made[u] >= 0 else 60)
            if avoid and avoid[0] <= begin % DAY / 60 < avoid[1]:
                begin = begin // DAY * DAY + avoid[1] * 60
            unit[i], start[i] = u, int(np.ceil(begin))
            hours = learned.ramp_hours[u, p] + quantity[i] / learned.rate_per_hour[u, p]
            free[u], made[u] = start[i] + 60 * hours, p
        return unit, start

    def truth(self, candidates: Candidates, realisations: int) -> Truth:
        """What candidates would have come to: as it came, then with the noise of runs and of the base drawn anew."""
        minutes = DAYS * DAY
        ahead = self.grid[PAST_DAYS * 24 :]
        parts = []
        for realisation in range(realisations):
            noise = self.noise(ORDERS)
            base = self.base[PAST_DAYS * 24 :] if realisation == 0 else self._base(DAYS * 24)
            for row in range(candidates.unit.shape[0]):
                load, _ = self.consume(
                    candidates.unit[row],
                    candidates.product[row],
                    candidates.quantity[row],
                    candidates.start_at[row] // MINUTE_US,
                    noise,
                    0,
                    2 * minutes,
                )
                assert not load[minutes:].any()
                hourly = load[:minutes].reshape(-1, 60).mean(1)
                peak = (load[:minutes] + np.repeat(base, 60)).reshape(-1, 15).mean(1).max()
                demand = DEMAND_CHARGE * max(0.0, peak - self.peak_so_far_kw)
                parts.append((hourly @ np.tile(self.price, DAYS), demand, hourly @ ahead))
        table = np.array(parts).reshape(realisations, -1, 3)
        return Truth(table[..., 0], table[..., 1], table[..., 2])

    def _base(self, hours: int) -> Floats:
        """kW of what the plant takes besides, by hour."""
        hour = np.arange(hours) % 24
        found: Floats = (
            300 + 120 * np.sin((hour - 8) / 24 * 2 * np.pi) + self.rng.normal(0, BASE_NOISE_KW, hours)
        )
        return found

    def base_error_kw(self) -> float:
        """Standard deviation of the past's hours around the mean of the hour, as a planner would find it."""
        by_day = self.base[: PAST_DAYS * 24].reshape(-1, 24)
        return float((by_day - by_day.mean(0)).std())
