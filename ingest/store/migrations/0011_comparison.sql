-- What a point and the one it is compared with said of an hour of UTC, over the intervals that both have whole, valid
-- and not substituted. An hour without such an interval has no row. What follows, that the intervals of the hour after
-- are in doubt, stands in them; their history tells what was known when.

CREATE TABLE comparison (
    point_no     integer          NOT NULL,
    start_at     timestamptz      NOT NULL,        -- of the hour
    own          double precision NOT NULL,        -- amount over the time in common, of a sample its mean
    other        double precision NOT NULL,        -- the same of the other point, in this one's unit
    common_us    bigint           NOT NULL,        -- the time in common
    verdict      smallint         NOT NULL,        -- 0 within its tolerance, 1 drifted, 2 none: too little in common
    plan_version integer          NOT NULL,        -- the version that compared them
    batch_no     bigint           NOT NULL,        -- the batch that said so
    PRIMARY KEY (point_no, start_at)
);
CREATE INDEX comparison_drifted ON comparison (point_no, start_at) WHERE verdict = 1;
