-- What happened that people are told of: the outbox of webhooks. A row is written in the transaction that made it
-- true and never changed. One writer a site, so event_no grows in commit order within a site, not across sites: whoever
-- reads on remembers what it has done of each event, never the highest number seen.

CREATE TABLE event (
    event_no    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_no     integer     NOT NULL REFERENCES site,
    id          text        NOT NULL UNIQUE,         -- the same in every delivery of it
    type        text        NOT NULL,                -- alert.firing, alert.resolved, alert.noted, period.sealed, …
    stream      text        NOT NULL,                -- within it deliveries keep their order: an episode, an order, a period
    occurred_at timestamptz NOT NULL,                -- in the plant, not when it became known
    batch_no    bigint      NOT NULL,                -- the commit that told it
    historical  boolean     NOT NULL DEFAULT false,  -- long past when it became known: stored, never delivered
    data        jsonb       NOT NULL
);

CREATE INDEX event_stream ON event (site_no, stream, event_no);
CREATE INDEX event_time ON event (site_no, occurred_at);
