-- From when to when an order can touch anything, as its statements came to at each batch (ingest/store/told.py): a span's orders
-- are found here, not by looking through all that was ever told.

CREATE TABLE order_reach (
    site_no     integer     NOT NULL REFERENCES site,
    order_id    text        NOT NULL,
    from_at     timestamptz NOT NULL,
    to_at       timestamptz NOT NULL,            -- infinity: as far as was told it still runs
    since_batch bigint      NOT NULL,            -- known from this batch on
    until_batch bigint,                          -- until this one; null: still
    PRIMARY KEY (site_no, order_id, since_batch)
);
CREATE INDEX order_reach_over ON order_reach USING gist (tstzrange(from_at, to_at));

CREATE INDEX mes_statement_at_large ON mes_statement USING gist (tstzrange(from_at, to_at))
 WHERE kind = 'production' AND order_id IS NULL;

-- What was told before: until its last statement an order may have been running, and still is unless it plainly stopped on every unit.
WITH told AS (
    SELECT site_no, order_id, unit, min(from_at) AS from_at, max(to_at) AS to_at,
           min(batch_no) AS first, max(batch_no) AS last,
           bool_or(body ? 'withdrawn') OR count(*) > count(DISTINCT (kind, id)) OR coalesce(
               (array_agg(body ->> 'event' ORDER BY from_at DESC, body ->> 'event' = 'stop') FILTER (WHERE kind = 'event'))[1],
               'stop') <> 'stop' AS open
      FROM mes_statement WHERE order_id IS NOT NULL AND kind <> 'order' GROUP BY site_no, order_id, unit
), orders AS (
    SELECT site_no, order_id, min(from_at) AS from_at, max(to_at) AS to_at, min(first) AS first, max(last) AS last, bool_or(open) AS open
      FROM told GROUP BY site_no, order_id
)
INSERT INTO order_reach (site_no, order_id, from_at, to_at, since_batch, until_batch)
SELECT site_no, order_id, from_at, 'infinity'::timestamptz, first, last FROM orders WHERE first < last
UNION ALL
SELECT site_no, order_id, from_at, CASE WHEN open THEN 'infinity' ELSE to_at + interval '1 microsecond' END, last, NULL FROM orders;
