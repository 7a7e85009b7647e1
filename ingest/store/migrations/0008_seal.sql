-- Sealed periods: what was reported of a span of time, and what became known of it afterwards.
-- The first row of a key is what was frozen; every later one is the new total, said by the batch that changed it, so a
-- difference is never stored and nothing can drift: the last row is what the period comes to now.

CREATE TABLE period_seal (
    seal_no   bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_no   integer     NOT NULL REFERENCES site,
    kind      text        NOT NULL,              -- what the period is to those who seal it: month, year, …
    from_at   timestamptz NOT NULL,
    to_at     timestamptz NOT NULL,
    edition   integer     NOT NULL DEFAULT 1,
    sealed_by text        NOT NULL,              -- name of the key
    sealed_at timestamptz NOT NULL,              -- when it was asked for
    inbox_no  bigint      NOT NULL UNIQUE,       -- the row that handed it to ingest
    known_at  timestamptz NOT NULL,
    batch_no  bigint      NOT NULL,
    UNIQUE (site_no, from_at, edition),
    CHECK (from_at < to_at)
);

CREATE TABLE period_point (                      -- what the hours of a point come to, as a day's do; all NULL: nothing
    seal_no        bigint           NOT NULL REFERENCES period_seal,
    point_no       integer          NOT NULL,
    amount         double precision,
    amount_count   bigint,
    mean           double precision,
    min            double precision,
    max            double precision,
    covered_us     bigint,
    valid_us       bigint,
    substituted_us bigint,
    quality        smallint,
    reasons        integer,
    cause          smallint         NOT NULL,
    known_at       timestamptz      NOT NULL,
    batch_no       bigint           NOT NULL,
    PRIMARY KEY (seal_no, point_no, batch_no)
);

CREATE TABLE period_kpi (                        -- correctly rounded sums of a KPI's intervals; all NULL: nothing
    seal_no        bigint           NOT NULL REFERENCES period_seal,
    kpi_no         integer          NOT NULL,
    a              double precision,
    b              double precision,
    covered_us     bigint,
    valid_us       bigint,
    substituted_us bigint,
    quality        smallint,
    reasons        integer,
    cause          smallint         NOT NULL,
    known_at       timestamptz      NOT NULL,
    batch_no       bigint           NOT NULL,
    PRIMARY KEY (seal_no, kpi_no, batch_no)
);

CREATE TABLE period_source (                     -- of an emission source
    seal_no        bigint           NOT NULL REFERENCES period_seal,
    source_no      integer          NOT NULL,
    mass_kg        double precision,
    covered_us     bigint,
    valid_us       bigint,
    substituted_us bigint,
    quality        smallint,
    reasons        integer,
    cause          smallint         NOT NULL,
    known_at       timestamptz      NOT NULL,
    batch_no       bigint           NOT NULL,
    PRIMARY KEY (seal_no, source_no, batch_no)
);

CREATE INDEX period_point_known  ON period_point (known_at);
CREATE INDEX period_kpi_known    ON period_kpi (known_at);
CREATE INDEX period_source_known ON period_source (known_at);
