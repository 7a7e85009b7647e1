"""What is at stake in an episode: the amount above the limit as energy, CO2 and money.

Energy costs what the tariffs of its carrier ask where it was drawn. An amount has no shape, so it has a price only
while that stands: where several prices held it says so, and tells none. Energy is priced marginally; demand charges
are not in it, nor is what is sold.
"""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from ingest.errors import InputError
from ingest.model import DAY, HOUR
from ingest.plant.plan import Plan
from ingest.plant.plan_alerts import PlanRule, PlanStake, PlanSubject
from ingest.units import measure
from kernels.rule_rows import FIRED

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST = 7 * DAY
"""Over a longer time no price is looked for."""
Price = tuple[float | None, str | None]
"""Money per kWh; why there is none."""


def at_stake(plan: Plan, rule: PlanRule, row: np.void, subject: np.void, what: PlanSubject) -> dict[str, Any]:
    """The amount above the limit: of an episode that begins in its window, else since it is pending."""
    amount, reason = float(row["excess"]), rule.stake.reason
    begin, end = int(row["pending_at"]), int(row["at"])
    if row["what"] == FIRED and what.window_us is not None:
        begin, end = int(subject["from_at"]), int(subject["to_at"])
        amount = (
            abs(float(row["value"]) - float(row["limit"])) * float(subject["weight"]) * (end - begin) / HOUR
        )
    if reason is None and row["side"] == -1:
        reason = "it is below its limit"
    if reason is None and not math.isfinite(amount):
        reason = "what it is counted by is not known"
    return _staked(plan, rule.stake, None if reason else amount, reason, begin, end)


def _staked(
    plan: Plan, stake: PlanStake, amount: float | None, reason: str | None, begin: int, end: int
) -> dict[str, Any]:
    energy = None if amount is None or stake.kwh is None else finite(amount * stake.kwh)
    co2 = None if amount is None or stake.co2_t is None else finite(amount * stake.co2_t)
    money, why = None, None
    if co2 is not None:
        money = None if stake.price is None else finite(co2 * stake.price)
        why = "the plant file has no carbon price"
    elif energy is not None:
        price, why = energy_price(plan, stake.carrier, begin, end)
        money = None if price is None else finite(energy * price)
    return {
        "energy_kwh": energy,
        "co2_t": co2,
        "money": money,
        "currency": None if money is None else plan.prices.currency,
        "reason": reason if reason is not None or money is not None else why,
    }


def energy_price(plan: Plan, carrier: str | None, begin: int, end: int) -> Price:
    """What a kWh of a carrier cost in [begin, end) µs, in the plant's currency, if all of it cost the same."""
    if carrier is None:
        return None, "the plant file names no one carrier of this energy, whose tariff would price it"
    named = [one for one in plan.prices.meters if plan.prices.tariffs[one.tariff].carrier == carrier]
    bought = [one for one in named if plan.prices.tariffs[one.tariff].direction == "import"]
    if not bought:
        return None, f"no tariff in the plant file prices {carrier}"
    if end - begin > LONGEST:
        return (
            None,
            f"it has lasted for longer than the {LONGEST // DAY} days over which a price is looked for",
        )
    found: set[float | None] = set()
    grain_us = plan.prices.grain_us
    for at in range(begin - begin % grain_us, max(end, begin + 1), grain_us):
        shown = (_EPOCH + timedelta(microseconds=at)).astimezone(plan.zone)
        holding = {one.tariff for one in bought if one.from_at <= at < one.to_at}
        found |= {_per_kwh(plan, number, shown) for number in holding} or {None}
    if found == {None}:
        return None, f"no tariff of {carrier} that is in force prices a kWh"
    if len(found) > 1:
        return None, f"{carrier} had more than one price in that time"
    return found.pop(), None


def _per_kwh(plan: Plan, number: int, shown: datetime) -> float | None:
    tariff = plan.prices.tariffs[number]
    meter = next(one for one in plan.prices.meters if one.tariff == number)
    price = meter.per_count[tariff.period_at(shown)] / meter.amount_per_count
    try:
        return float(price) / measure(tariff.amount_unit).affine(measure("kWh"))[0]
    except InputError:
        return None


def finite(value: float) -> float | None:
    """JSON knows no other numbers."""
    return value if math.isfinite(value) else None
