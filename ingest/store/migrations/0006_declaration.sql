-- What people declare of readings: proposed by one key, approved by another, stored as readings by ingest.

CREATE TABLE declaration (
    declaration_no  bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,   -- k: its readings have seq 2^62 + 2k and + 2k + 1
    site_no         integer     NOT NULL REFERENCES site,
    point_no        integer     NOT NULL REFERENCES point,
    kind            text        NOT NULL CHECK (kind IN ('correction', 'replacement', 'withdrawal')),
    at              timestamptz NOT NULL,
    body            jsonb       NOT NULL,       -- in the point's unit: {value, quality} or {old_final, new_initial}
    withdraws       bigint      REFERENCES declaration,
    note            text        NOT NULL CHECK (length(note) BETWEEN 1 AND 500),   -- why
    author          text        NOT NULL,       -- name of the key that proposed it
    proposed_at     timestamptz NOT NULL,
    idempotency_key text        NOT NULL,
    digest          bytea       NOT NULL,       -- sha256 of what was asked, to know it again
    decision        text        CHECK (decision IN ('approved', 'refused')),
    decided_by      text,
    decided_at      timestamptz,
    inbox_no        bigint      UNIQUE,         -- the row that hands it to ingest
    batch_no        bigint,                     -- the batch in which it took effect
    failure         text,                       -- why it could not
    UNIQUE (site_no, idempotency_key),
    CHECK ((kind = 'withdrawal') = (withdraws IS NOT NULL)),
    CHECK ((decision IS NULL) = (decided_by IS NULL) AND (decision IS NULL) = (decided_at IS NULL)),
    CHECK ((decision IS NOT DISTINCT FROM 'approved') = (inbox_no IS NOT NULL)),
    CHECK (decision <> 'approved' OR decided_by <> author),
    CHECK (batch_no IS NULL OR failure IS NULL)
);
CREATE INDEX declaration_by_point ON declaration (point_no, at);
CREATE INDEX declaration_withdrawn ON declaration (withdraws) WHERE withdraws IS NOT NULL;
