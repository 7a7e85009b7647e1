-- Facts, their figures, and what moves them. Instants are timestamptz, spans in it are µs (bigint).

CREATE TABLE site (
    site_no    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id         text    NOT NULL UNIQUE,
    epoch      bigint  NOT NULL DEFAULT 0,     -- +1 whenever a writer takes the site
    holder     text,                           -- who took it last, for the one who waits
    subscribed text[]  NOT NULL DEFAULT '{}'   -- topic filters its broker session holds
);

CREATE TABLE plan_version (
    site_no      integer     NOT NULL REFERENCES site,
    version      integer     NOT NULL,
    effective_at timestamptz NOT NULL,
    applied_at   timestamptz NOT NULL DEFAULT now(),
    digest       text        NOT NULL,          -- sha256 of the canonical body
    body         jsonb       NOT NULL,          -- the validated plant file
    PRIMARY KEY (site_no, version)
);

CREATE TABLE point (
    point_no integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_no  integer NOT NULL REFERENCES site,
    id       text    NOT NULL UNIQUE            -- site/unit/…/point; a rename keeps point_no
);

CREATE TABLE kpi (
    kpi_no  integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_no integer NOT NULL REFERENCES site,
    id      text    NOT NULL UNIQUE
);

CREATE TABLE source (
    source_no integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_no   integer NOT NULL REFERENCES site,
    id        text    NOT NULL UNIQUE
);

CREATE TABLE ingest_commit (
    site_no      integer     NOT NULL REFERENCES site,
    batch_no     bigint      NOT NULL,
    epoch        bigint      NOT NULL,
    known_at     timestamptz NOT NULL,
    plan_version integer     NOT NULL,
    watermark    timestamptz,                   -- NULL before the first reading
    readings     integer     NOT NULL,
    PRIMARY KEY (site_no, batch_no)
);

CREATE TABLE interval (
    point_no       integer          NOT NULL,
    start_at       timestamptz      NOT NULL,
    amount         double precision,            -- unit × h of a gauge, unit of a counter or delta, h of a state
    amount_count   bigint,                      -- the exact amount of a counter or delta in counts of its resolution
    mean           double precision,
    min            double precision,
    max            double precision,
    covered_us     bigint           NOT NULL,
    valid_us       bigint           NOT NULL,
    substituted_us bigint           NOT NULL,
    quality        smallint         NOT NULL,
    reasons        integer          NOT NULL,
    revision       integer          NOT NULL,   -- 0 provisional, 1 closed, more: revised
    cause          smallint         NOT NULL,
    plan_version   integer          NOT NULL,
    known_at       timestamptz      NOT NULL,
    batch_no       bigint           NOT NULL,
    PRIMARY KEY (point_no, start_at)
);

CREATE TABLE interval_hour (
    point_no       integer          NOT NULL,
    start_at       timestamptz      NOT NULL,
    amount         double precision,
    amount_count   bigint,
    mean           double precision,
    min            double precision,
    max            double precision,
    covered_us     bigint           NOT NULL,
    valid_us       bigint           NOT NULL,
    substituted_us bigint           NOT NULL,
    quality        smallint         NOT NULL,
    reasons        integer          NOT NULL,
    intervals      integer          NOT NULL,   -- closed intervals in it
    known_at       timestamptz      NOT NULL,
    batch_no       bigint           NOT NULL,
    PRIMARY KEY (point_no, start_at)
);

CREATE TABLE interval_day (LIKE interval_hour INCLUDING ALL);   -- days in the site's zone

CREATE TABLE ledger (                           -- every counter step that was not normal
    point_no     integer     NOT NULL,
    at           timestamptz NOT NULL,          -- of the reading after the step
    previous_at  timestamptz NOT NULL,
    class        smallint    NOT NULL,
    increment    bigint      NOT NULL,          -- counts booked as used
    correction   bigint      NOT NULL,          -- Σ increments + corrections = last - first
    batch_no     bigint      NOT NULL,
    PRIMARY KEY (point_no, at)
);

CREATE TABLE kpi_value (
    kpi_no         integer          NOT NULL,
    start_at       timestamptz      NOT NULL,
    a              double precision NOT NULL,   -- numerator (kWh of a power factor)
    b              double precision NOT NULL,   -- denominator (covered hours of a rate, kvarh of a power factor)
    covered_us     bigint           NOT NULL,
    valid_us       bigint           NOT NULL,
    substituted_us bigint           NOT NULL,
    quality        smallint         NOT NULL,
    reasons        integer          NOT NULL,
    revision       integer          NOT NULL,
    cause          smallint         NOT NULL,
    plan_version   integer          NOT NULL,
    known_at       timestamptz      NOT NULL,
    batch_no       bigint           NOT NULL,
    PRIMARY KEY (kpi_no, start_at)
);

CREATE TABLE emission (
    source_no      integer          NOT NULL,
    start_at       timestamptz      NOT NULL,
    mass_kg        double precision NOT NULL,
    covered_us     bigint           NOT NULL,
    valid_us       bigint           NOT NULL,
    substituted_us bigint           NOT NULL,
    quality        smallint         NOT NULL,
    reasons        integer          NOT NULL,
    revision       integer          NOT NULL,
    cause          smallint         NOT NULL,
    plan_version   integer          NOT NULL,
    known_at       timestamptz      NOT NULL,
    batch_no       bigint           NOT NULL,
    PRIMARY KEY (source_no, start_at)
);

CREATE TABLE kpi_latest (
    kpi_no         integer          NOT NULL,
    window_us      bigint           NOT NULL,
    from_at        timestamptz      NOT NULL,
    to_at          timestamptz      NOT NULL,   -- the horizon: the least time any input reaches
    a              double precision NOT NULL,
    b              double precision NOT NULL,
    value          double precision,
    reason         text,                        -- why value is NULL
    covered_us     bigint           NOT NULL,
    valid_us       bigint           NOT NULL,
    substituted_us bigint           NOT NULL,
    quality        smallint         NOT NULL,
    reasons        integer          NOT NULL,
    plan_version   integer          NOT NULL,
    known_at       timestamptz      NOT NULL,
    batch_no       bigint           NOT NULL,
    PRIMARY KEY (kpi_no, window_us)
);

CREATE TABLE point_state (                      -- the checkpoint: a frontier; everything else is in `reading`
    point_no     integer     PRIMARY KEY,
    closed_until timestamptz NOT NULL,
    batch_no     bigint      NOT NULL
);

CREATE TABLE rejected (
    rejected_no bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_no     integer     NOT NULL REFERENCES site,
    topic       text        NOT NULL,
    payload     bytea       NOT NULL,           -- at most 64 KiB of it
    element     integer,                        -- index of the refused element; NULL: the whole body
    reason      text        NOT NULL,
    detail      text        NOT NULL,
    received_at timestamptz NOT NULL,
    batch_no    bigint      NOT NULL,
    replayed_at timestamptz
);
CREATE INDEX rejected_by_reason ON rejected (site_no, reason, received_at);

CREATE TABLE rejected_count (                   -- counts all, also those beyond the bound of `rejected`
    site_no integer NOT NULL REFERENCES site,
    reason  text    NOT NULL,
    day     date    NOT NULL,
    total   bigint  NOT NULL,
    PRIMARY KEY (site_no, reason, day)
);

CREATE TABLE inbox (                            -- everything that enters not by MQTT; consumed like a broker's queue
    inbox_no        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_no         integer     NOT NULL REFERENCES site,
    kind            text        NOT NULL,       -- 'reading': body is {"topic": …, "payload": wire v1}
    body            text        NOT NULL,
    idempotency_key text        NOT NULL,
    author          text        NOT NULL,
    priority        smallint    NOT NULL DEFAULT 0,   -- 0 people and systems, 1 imports
    received_at     timestamptz NOT NULL DEFAULT now(),
    batch_no        bigint,                     -- the batch that consumed it; NULL: waiting
    UNIQUE (site_no, idempotency_key)
);
CREATE INDEX inbox_waiting ON inbox (site_no, priority, inbox_no) WHERE batch_no IS NULL;

CREATE TABLE api_key (
    key_no     integer     GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text        NOT NULL UNIQUE,
    digest     bytea       NOT NULL UNIQUE,     -- sha256 of the key, which itself is 256 random bits
    scopes     text[]      NOT NULL,
    sites      text[],                          -- NULL: all
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);
