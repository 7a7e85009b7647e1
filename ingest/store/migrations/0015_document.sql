-- Documents as activity data: invoices, weighbridge tickets, changes of stock, laboratory analyses. Proposed by one key,
-- approved by another, taken up by ingest in a batch, as declarations are; nothing is overwritten.

CREATE TABLE document (
    document_no     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_no         integer     NOT NULL REFERENCES site,
    kind            text        NOT NULL CHECK (kind IN ('invoice', 'weighbridge', 'stock_change', 'analysis', 'other',
                                                         'withdrawal')),
    number          text        NOT NULL,       -- its own
    subject         text        NOT NULL,       -- id of the activity, of an analysis that of the property
    from_at         timestamptz,                -- [from_at, to_at); NULL: of an analysis that is of a lot only
    to_at           timestamptz,
    lot             text,
    count           bigint,                     -- of the activity's resolution
    value           double precision,           -- of an analysis, in the property's unit
    body            jsonb       NOT NULL,       -- as it was said: {quantity or value, unit, basis}
    file_sha256     text        NOT NULL CHECK (file_sha256 ~ '^[0-9a-f]{64}$'),
    supersedes      bigint      REFERENCES document,
    withdraws       bigint      REFERENCES document,
    note            text        NOT NULL,
    author          text        NOT NULL,       -- name of the key that proposed it
    proposed_at     timestamptz NOT NULL,
    idempotency_key text        NOT NULL,
    digest          bytea       NOT NULL,       -- sha256 of what was asked, to know it again
    decision        text        CHECK (decision IN ('approved', 'refused')),
    decided_by      text,                       -- the checker
    decided_at      timestamptz,
    inbox_no        bigint      UNIQUE,         -- the row that hands it to ingest
    batch_no        bigint,                     -- the batch in which it took effect
    failure         text,                       -- why it could not
    UNIQUE (site_no, idempotency_key),
    CHECK ((kind = 'withdrawal') = (withdraws IS NOT NULL)),
    CHECK ((from_at IS NULL) = (to_at IS NULL) AND from_at < to_at),
    CHECK (from_at IS NOT NULL OR lot IS NOT NULL OR kind = 'withdrawal'),
    CHECK (kind = 'withdrawal' OR (kind = 'analysis') = (value IS NOT NULL) AND (kind = 'analysis') = (count IS NULL)),
    CHECK ((decision IS NULL) = (decided_by IS NULL) AND (decision IS NULL) = (decided_at IS NULL)),
    CHECK ((decision IS NOT DISTINCT FROM 'approved') = (inbox_no IS NOT NULL)),
    CHECK (decision <> 'approved' OR decided_by <> author),
    CHECK (batch_no IS NULL OR failure IS NULL)
);
CREATE INDEX document_of_subject ON document (site_no, subject, from_at);
CREATE INDEX document_withdrawn  ON document (withdraws)  WHERE withdraws IS NOT NULL;
CREATE INDEX document_superseded ON document (supersedes) WHERE supersedes IS NOT NULL;

-- What a document comes to for a source, per stretch in which the same analyses are in force: a row a document, not one
-- an interval. Truth at batch B: rows with batch_no <= B that were not superseded by then.
CREATE TABLE document_piece (
    source_no        integer          NOT NULL REFERENCES source,
    document_no      bigint           NOT NULL REFERENCES document,
    from_at          timestamptz      NOT NULL,
    to_at            timestamptz      NOT NULL,
    kg_per_count     double precision,            -- NULL: an analysis is wanting
    analyses         bigint[]         NOT NULL,   -- documents of the analyses in force, in the source's order; NULL: none
    defaulted        text[]           NOT NULL,   -- factors that stand in for analyses
    revision         integer          NOT NULL,   -- 1: as first told of the document and source, more: revised
    cause            smallint         NOT NULL,
    plan_version     integer          NOT NULL,
    known_at         timestamptz      NOT NULL,
    batch_no         bigint           NOT NULL,
    superseded_batch bigint,
    PRIMARY KEY (source_no, document_no, from_at, batch_no)
);
CREATE INDEX document_piece_in_time ON document_piece (source_no, from_at);
