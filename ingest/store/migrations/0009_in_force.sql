-- From which edge on a version of the plant file folds a point: where the point's frontier stood when ingest took it.
-- Closed rows name their version themselves; this says it of the intervals that have no row.

CREATE TABLE plan_in_force (
    point_no integer     NOT NULL,
    version  integer     NOT NULL,
    from_at  timestamptz NOT NULL,                 -- -infinity: nothing of the point was closed yet
    PRIMARY KEY (point_no, version)
);
INSERT INTO plan_in_force
SELECT point_no, plan_version,
       CASE row_number() OVER (PARTITION BY point_no ORDER BY plan_version) WHEN 1 THEN '-infinity' ELSE min(start_at) END
  FROM interval WHERE revision = 1 GROUP BY point_no, plan_version;
