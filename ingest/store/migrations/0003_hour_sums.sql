-- Hours grow: an interval that follows all others of its hour is added to the hour's row (ingest/store/rollups.py).

ALTER TABLE interval_hour
    ADD COLUMN mean_sum double precision,   -- Σ mean · used µs in the order of time; mean is this by mean_us
    ADD COLUMN mean_us  bigint;             -- Σ used µs of the intervals that have a mean

UPDATE interval_hour h
   SET (mean_sum, mean_us) = (
       SELECT sum(i.mean * (i.valid_us + i.substituted_us) ORDER BY i.start_at),
              sum(i.valid_us + i.substituted_us) FILTER (WHERE i.mean IS NOT NULL)
         FROM interval i
        WHERE i.point_no = h.point_no AND i.revision > 0
          AND i.start_at >= h.start_at AND i.start_at < h.start_at + interval '1 hour');

-- Their rows are replaced every interval: room beside them keeps the new version on the page and out of the index.
ALTER TABLE interval_hour SET (fillfactor = 50);
ALTER TABLE interval_day  SET (fillfactor = 50);
ALTER TABLE point_state   SET (fillfactor = 50);
