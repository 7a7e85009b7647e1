"""Carbon: flows, intensities, and masses by source. Measured and calculated are two tellings of one emission."""

from dashboards.boards.intensity import hours
from dashboards.panels import Board, Panel

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
            """SELECT source, name, scope, route, gas, sum(mass_kg) AS mass_kg,
       (sum(valid_us) / 1e6 / extract(epoch FROM $__timeTo()::timestamptz - $__timeFrom()::timestamptz))::float8
           AS valid_share,
       extract(epoch FROM board.clock() - max(start_at))::float8 AS data_age_s
  FROM board.emission_interval
 WHERE site = ${site:sqlstring} AND unit_path || '/' LIKE ${unit:sqlstring} || '/%' AND $__timeFilter(start_at)
 GROUP BY source, name, scope, route, gas ORDER BY source""",
            "/v1/emissions?group_by=source",
            about="Never add measured to calculated.",
        ),
        Panel(
            "Mass of the span by scope and route",
            """SELECT scope, route, gas, sum(mass_kg) AS mass_kg, min(valid_share) AS valid_share,
       max(data_age_s) AS data_age_s
  FROM (SELECT source, scope, route, gas, sum(mass_kg) AS mass_kg,
               (sum(valid_us) / 1e6 / extract(epoch FROM $__timeTo()::timestamptz - $__timeFrom()::timestamptz))::float8
                   AS valid_share,
               extract(epoch FROM board.clock() - max(start_at))::float8 AS data_age_s
          FROM board.emission_interval
         WHERE site = ${site:sqlstring} AND unit_path || '/' LIKE ${unit:sqlstring} || '/%' AND $__timeFilter(start_at)
         GROUP BY source, scope, route, gas) AS one
 GROUP BY scope, route, gas ORDER BY scope, route""",
            "/v1/emissions?group_by=scope",
            about="Never add measured to calculated.",
        ),
    ),
)
