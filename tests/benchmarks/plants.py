"""The plant of the benchmarks: as many points as wanted, in the mix of a real one.

Of ten points three are counters, four sloped gauges, two held gauges and one a
state. A line has a hundred points, so ids are short and units are many. Figures
do not grow with the points: what they cost is told apart by it.
"""

from typing import Any

POINTS_PER_LINE = 100
KPIS = 16
KINDS = ("counter", "sloped", "held", "sloped", "counter", "sloped", "held", "counter", "sloped", "state")
"""Kind of each point by its number modulo 10."""
PROBE = "probe/flow"
"""A point beside the others whose KPI `probe/flow` follows it alone."""


def point_id(number: int) -> str:
    """Id of a point relative to the site."""
    return f"line{number // POINTS_PER_LINE}/p{number % POINTS_PER_LINE:02d}"


def kind_of(number: int) -> str:
    """Kind of a point, as in `KINDS`."""
    return KINDS[number % len(KINDS)]


def plant(site: str, points: int, *, period: str = "1s", lateness: str = "5s") -> dict[str, Any]:
    """A plant file, decoded; JSON of it is YAML too."""
    lines = range(-(-points // POINTS_PER_LINE))
    return {
        "site": site,
        "name": "Plant of the benchmarks",
        "time_zone": "Asia/Shanghai",
        "clock": "live",
        "interval": "1min",
        "lateness": lateness,
        "windows": ["5min", "1h", "8h", "24h"],
        "units": [
            {"id": "probe", "name": "Probe", "kind": "cell"},
            *({"id": f"line{line}", "name": f"Line {line}", "kind": "line"} for line in lines),
        ],
        "carriers": [{"id": "electricity", "name": "Electricity"}],
        "products": [{"id": "product", "name": "Product"}],
        "factors": [{"id": "grid", "value": 0.5, "unit": "t/MWh", "source": "example", "trust": "unconfirmed"}],
        "points": [*(_point(number, period) for number in range(points)), _probe(period)],
        "sources": [_source(line) for line in lines[:4]],
        "kpis": [*(_kpi(number, points) for number in range(KPIS)), _probe_kpi()],
    }  # fmt: skip


def _point(number: int, period: str) -> dict[str, Any]:
    kind = kind_of(number)
    point: dict[str, Any] = {"id": point_id(number), "period": period, "max_gap": "1min"}
    if kind == "counter":
        point |= {"kind": "counter", "unit": "kWh", "carrier": "electricity", "resolution": 0.001}
        return point | {"modulus": 1e9, "max_rate": 40000}
    if kind == "state":
        return point | {"kind": "state", "states": {"stopped": 0, "running": 1}}
    return point | {"kind": "gauge", "unit": "kW", "sloped": kind == "sloped", "limits": [0, 20000]}


def _probe(period: str) -> dict[str, Any]:
    return {"id": PROBE, "kind": "gauge", "unit": "t/h", "period": period, "max_gap": "1min", "sloped": False}


def _source(line: int) -> dict[str, Any]:
    return {
        "id": f"line{line}/bought",
        "scope": 2,
        "category": "purchased",
        "gas": "co2",
        "route": "calculated",
        "activity": point_id(line * POINTS_PER_LINE),
        "factors": ["grid"],
    }


def _kpi(number: int, points: int) -> dict[str, Any]:
    """Rates of gauges and ratios of counters, of points near the beginning."""
    if number % 2:
        point = point_id((10 * number + 1) % points)
        return {"id": f"rate{number}", "kind": "rate", "unit": "kW", "numerator": [{"point": point}]}
    first, second = point_id(10 * number % points), point_id((10 * number + 4) % points)
    return {
        "id": f"ratio{number}",
        "kind": "ratio",
        "unit": "1",
        "numerator": [{"point": first}],
        "denominator": [{"point": second}],
    }


def _probe_kpi() -> dict[str, Any]:
    return {
        "id": PROBE,
        "kind": "rate",
        "unit": "t/h",
        "numerator": [{"point": PROBE}],
        "windows": ["5min"],
    }
