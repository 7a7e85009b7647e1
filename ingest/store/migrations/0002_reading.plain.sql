-- Readings on plain PostgreSQL: a partition a month, made by the writer when the first reading of the month comes.
-- No unique index: the frontiers make readings unique, and one costs most of the COPY rate.

CREATE TABLE reading (
    point_no    integer          NOT NULL,
    measured_at timestamptz      NOT NULL,
    received_at timestamptz      NOT NULL,
    value       double precision NOT NULL,     -- NaN: the reading carried none (it is bad or uncertain)
    quality     smallint         NOT NULL,
    reasons     integer          NOT NULL,
    seq         bigint           NOT NULL,     -- -1: none given
    batch_no    bigint           NOT NULL
) PARTITION BY RANGE (measured_at);
CREATE INDEX reading_by_point ON reading (point_no, measured_at);
CREATE INDEX reading_by_batch ON reading USING brin (batch_no);
