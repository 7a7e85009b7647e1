-- From which edge on a version of the plant file folds a point: where the point's frontier stood when ingest took it.
-- Closed rows name their version themselves; this says it of the intervals that have no row.

CREATE TABLE plan_in_force (
    point_no integer     NOT NULL,
    version  integer     NOT NULL,
    from_at  timestamptz NOT NULL,                 -- -infinity: nothing of the point was closed yet
    PRIMARY KEY (point_no, version)
);
INSERT INTO plan_in_force
SELECT i.point_no, i.plan_version,
       CASE WHEN i.plan_version = (SELECT min(version) FROM plan_version v WHERE v.site_no = p.site_no) THEN '-infinity'
            ELSE min(i.start_at) END
  FROM interval i JOIN point p USING (point_no)
 WHERE i.revision = 1 GROUP BY p.site_no, i.point_no, i.plan_version;
