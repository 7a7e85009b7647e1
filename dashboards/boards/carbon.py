"""Carbon: flows, intensities, and masses by source. Measured and calculated are two tellings of one emission."""

from dashboards.boards.intensity import hours
from dashboards.panels import Board, Panel

NEVER_ADDED = (
    "Never add measured to calculated, location to market based, or one account to another: they tell one emission in "
    "several ways, or what is not netted."
)
BOARD = Board(
    "stackwatt-carbon",
    "Carbon",
    "Flow and mass of CO2 by route, scope and source.",
    (
        hours("CO2 flow, measured and calculated", "t/h", "rate", "suffix: t/h"),
        hours("CO2 per product, measured and calculated", "t/t", "ratio", "suffix: t/t"),
        hours("CO2 per product, all scopes", "kg/t", "ratio", "suffix: kg/t"),
        Panel(
            "Mass of the span by source",
            """SELECT source, name, scope, route, gas, account, basis, supply, sum(mass_kg) AS mass_kg,
       (sum(valid_us) / 1e6 / extract(epoch FROM $__timeTo()::timestamptz - $__timeFrom()::timestamptz))::float8
           AS valid_share,
       extract(epoch FROM board.clock() - max(start_at))::float8 AS data_age_s
  FROM board.emission_interval
 WHERE site = ${site:sqlstring} AND unit_path || '/' LIKE ${unit:sqlstring} || '/%' AND $__timeFilter(start_at)
 GROUP BY source, name, scope, route, gas, account, basis, supply ORDER BY source""",
            "/v1/emissions?group_by=source",
            about=NEVER_ADDED,
        ),
        Panel(
            "Mass of the span by scope and route",
            """SELECT scope, route, gas, account, basis, supply, sum(mass_kg) AS mass_kg,
       min(valid_share) AS valid_share, max(data_age_s) AS data_age_s
  FROM (SELECT source, scope, route, gas, account, basis, supply, sum(mass_kg) AS mass_kg,
               (sum(valid_us) / 1e6 / extract(epoch FROM $__timeTo()::timestamptz - $__timeFrom()::timestamptz))::float8
                   AS valid_share,
               extract(epoch FROM board.clock() - max(start_at))::float8 AS data_age_s
          FROM board.emission_interval
         WHERE site = ${site:sqlstring} AND unit_path || '/' LIKE ${unit:sqlstring} || '/%' AND $__timeFilter(start_at)
         GROUP BY source, scope, route, gas, account, basis, supply) AS one
 GROUP BY scope, route, gas, account, basis, supply ORDER BY scope, route, account, basis, supply""",
            "/v1/emissions?group_by=scope",
            about=NEVER_ADDED,
        ),
    ),
)
