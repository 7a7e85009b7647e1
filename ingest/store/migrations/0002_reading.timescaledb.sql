-- Readings and figures on TimescaleDB: hypertables. No unique index on readings: the frontiers make them unique.

CREATE TABLE reading (
    point_no    integer          NOT NULL,
    measured_at timestamptz      NOT NULL,
    received_at timestamptz      NOT NULL,
    value       double precision NOT NULL,     -- NaN: the reading carried none (it is bad or uncertain)
    quality     smallint         NOT NULL,
    reasons     integer          NOT NULL,
    seq         bigint           NOT NULL,     -- -1: none given
    batch_no    bigint           NOT NULL
);
SELECT create_hypertable('reading', by_range('measured_at', INTERVAL '7 days'), create_default_indexes => false);
CREATE INDEX reading_by_point ON reading (point_no, measured_at);
CREATE INDEX reading_by_batch ON reading USING brin (batch_no);
SELECT create_hypertable('interval', by_range('start_at', INTERVAL '30 days'), create_default_indexes => false);
SELECT create_hypertable('kpi_value', by_range('start_at', INTERVAL '90 days'), create_default_indexes => false);
SELECT create_hypertable('emission', by_range('start_at', INTERVAL '90 days'), create_default_indexes => false);

-- The columnstore is part of the community edition; on the Apache edition rows simply stay rows.
DO $$
BEGIN
    IF current_setting('timescaledb.license') = 'timescale' THEN
        ALTER TABLE reading SET (
            timescaledb.enable_columnstore,
            timescaledb.segmentby = 'point_no',
            timescaledb.orderby = 'measured_at'
        );
        CALL add_columnstore_policy('reading', after => INTERVAL '7 days');
    END IF;
END
$$;
