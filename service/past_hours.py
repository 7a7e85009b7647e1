"""Hours of regimes as they stood after an earlier batch; see `service.past`.

A provisional hour whose numbers only time has moved since was overwritten in place: it was
there then, determined as it is, but of its figures nothing is known afterwards. They are
none (`not_kept`), never those of a later batch.
"""

from typing import Any

from service.as_of import Known

_MOVES = ("mass_kg", "rate", "known_at")
_COMPONENT_MOVES = {"value", "availability_pct", "gap_h", "rests_on"}


def rows_of(columns: str, where: str, known: Known) -> str:
    """The query of the rows of `regime_hour` that stand now, or stood then (%(batch)s).

    Of one that has gone on since mass, rate and known_at are NULL.
    """
    if not known.past:
        return f"SELECT {columns} FROM regime_hour WHERE {where}"  # noqa: S608  fragments of the modules that ask
    told = ", ".join(
        f"CASE WHEN batch_no <= %(batch)s THEN {name} END AS {name}" if name in _MOVES else name
        for name in columns.split(", ")
    )
    return f"""
        SELECT {told} FROM regime_hour WHERE {where} AND begun_batch <= %(batch)s
        UNION ALL
        SELECT {told} FROM regime_hour_history
         WHERE {where} AND begun_batch <= %(batch)s AND superseded_batch > %(batch)s
    """  # noqa: S608  as above


def forgotten(said: dict[str, Any]) -> dict[str, Any]:
    """A component of an hour that has gone on, as far as it is known of then: all of it, where it was measured."""
    if said["state"] in {"measured", "stopped"}:
        return said
    return {name: None if name in _COMPONENT_MOVES else value for name, value in said.items()}
