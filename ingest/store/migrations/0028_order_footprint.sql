-- What finished orders came to, each time anew when it changed, and which of them have to be looked at again. The figures can be
-- had again as of any batch from statements and intervals; what is kept here is what people were told.

CREATE TABLE order_footprint (
    site_no      integer     NOT NULL REFERENCES site,
    order_id     text        NOT NULL,
    revision     integer     NOT NULL,           -- 1: order.footprint.ready; more: order.footprint.revised
    from_at      timestamptz NOT NULL,           -- the intervals it touches
    to_at        timestamptz NOT NULL,
    units        text[]      NOT NULL,           -- full ids
    figures      jsonb       NOT NULL,           -- as the event tells them
    cause        text        NOT NULL,           -- ready, statement, or that of the intervals: late, declared, …
    plan_version integer     NOT NULL,
    known_at     timestamptz NOT NULL,
    batch_no     bigint      NOT NULL,
    PRIMARY KEY (site_no, order_id, revision)
);
CREATE INDEX order_footprint_span ON order_footprint (site_no, to_at);
CREATE INDEX order_footprint_by_batch ON order_footprint (batch_no);
CREATE TRIGGER note_said AFTER INSERT OR UPDATE ON order_footprint FOR EACH STATEMENT EXECUTE FUNCTION note_table('order_footprint');

CREATE TABLE order_due (                         -- written in the transaction that touched the order, taken away in that which looked
    site_no    integer     NOT NULL REFERENCES site,
    order_id   text        NOT NULL,
    wait_until timestamptz NOT NULL,             -- event time: intervals before it have to be closed first
    cause      text        NOT NULL,
    PRIMARY KEY (site_no, order_id)
);
