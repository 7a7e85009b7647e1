-- Evidence (ingest/evidence): a leaf per batch, written in its transaction, and the root of the leaves of each hour.

CREATE TABLE evidence_leaf (                     -- commit rows may be let go by age, so what a leaf holds of them stands here
    site_no      integer     NOT NULL,
    batch_no     bigint      NOT NULL,
    epoch        bigint      NOT NULL,
    known_at     timestamptz NOT NULL,
    plan_version integer     NOT NULL,
    watermark    timestamptz,
    readings     integer     NOT NULL,
    leaf         bytea       NOT NULL,           -- sha256 over the commit and all rows of the batch
    locators     bytea       NOT NULL,           -- digests of the rows: which does not match; see evidence.verifier.locating
    PRIMARY KEY (site_no, batch_no)
);
ALTER TABLE evidence_leaf ALTER COLUMN locators SET STORAGE EXTERNAL;   -- digests do not compress

CREATE TABLE evidence_hour (                     -- written by the first batch of a later hour
    site_no     integer     NOT NULL,
    hour_at     timestamptz NOT NULL,            -- hour of UTC in which its batches became known
    first_batch bigint      NOT NULL,
    last_batch  bigint      NOT NULL,
    root        bytea       NOT NULL,            -- of the Merkle tree of its leaves
    chain       bytea       NOT NULL,            -- the chain's head after last_batch
    notes       bytea       NOT NULL,            -- head of the chain of notes then
    public_key  bytea,                           -- Ed25519; NULL: ingest had no key to sign with
    signature   bytea,
    PRIMARY KEY (site_no, hour_at)
);

CREATE TABLE evidence_note (                     -- what has no batch of its own, noted by the first that may rest on it
    site_no  integer  NOT NULL,
    kind     smallint NOT NULL,                  -- 1 point, 2 KPI, 3 source: said is its id; 4 plan version: sha256 of what it says
    number   integer  NOT NULL,
    said     text     NOT NULL,
    batch_no bigint   NOT NULL,
    PRIMARY KEY (site_no, kind, number, batch_no)
);

-- What a plan version says, and what its note has of it.
CREATE FUNCTION plan_version_text(v plan_version) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT concat_ws(E'\n', (extract(epoch FROM v.effective_at) * 1000000)::bigint,
                     (extract(epoch FROM v.applied_at) * 1000000)::bigint, v.digest, v.body)
$$;
CREATE FUNCTION plan_version_said(v plan_version) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT encode(sha256(convert_to(plan_version_text(v), 'UTF8')), 'hex')
$$;

-- Which tables the batch under way has written to, for the one who makes its leaf. TG_ARGV[0] is the table's name.
CREATE FUNCTION note_said(name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    said text := coalesce(current_setting('stackwatt.said', true), '');
BEGIN
    IF NOT name = ANY(string_to_array(said, ',')) THEN
        PERFORM set_config('stackwatt.said', concat_ws(',', nullif(said, ''), name), true);
    END IF;
END
$$;
CREATE FUNCTION note_table() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_said(TG_ARGV[0]);
    RETURN NULL;
END
$$;

-- Of the large ones also which rows, so that they need no index by batch. `said_row` is a table of ingest's session.
CREATE FUNCTION note_interval() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_regclass('pg_temp.said_row') IS NOT NULL THEN
        INSERT INTO pg_temp.said_row SELECT 2, point_no, start_at FROM rows_said WHERE revision > 0;
        IF FOUND THEN
            PERFORM note_said('interval');
        END IF;
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION note_kpi_value() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_regclass('pg_temp.said_row') IS NOT NULL THEN
        INSERT INTO pg_temp.said_row SELECT 3, kpi_no, start_at FROM rows_said WHERE revision > 0;
        IF FOUND THEN
            PERFORM note_said('kpi_value');
        END IF;
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION note_emission() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_regclass('pg_temp.said_row') IS NOT NULL THEN
        INSERT INTO pg_temp.said_row SELECT 4, source_no, start_at FROM rows_said WHERE revision > 0;
        IF FOUND THEN
            PERFORM note_said('emission');
        END IF;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER note_inserted AFTER INSERT ON interval REFERENCING NEW TABLE AS rows_said
    FOR EACH STATEMENT EXECUTE FUNCTION note_interval();
CREATE TRIGGER note_updated AFTER UPDATE ON interval REFERENCING NEW TABLE AS rows_said
    FOR EACH STATEMENT EXECUTE FUNCTION note_interval();
CREATE TRIGGER note_inserted AFTER INSERT ON kpi_value REFERENCING NEW TABLE AS rows_said
    FOR EACH STATEMENT EXECUTE FUNCTION note_kpi_value();
CREATE TRIGGER note_updated AFTER UPDATE ON kpi_value REFERENCING NEW TABLE AS rows_said
    FOR EACH STATEMENT EXECUTE FUNCTION note_kpi_value();
CREATE TRIGGER note_inserted AFTER INSERT ON emission REFERENCING NEW TABLE AS rows_said
    FOR EACH STATEMENT EXECUTE FUNCTION note_emission();
CREATE TRIGGER note_updated AFTER UPDATE ON emission REFERENCING NEW TABLE AS rows_said
    FOR EACH STATEMENT EXECUTE FUNCTION note_emission();

-- The small ones, and what went to a history, are read back by their batch.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['ledger', 'hour_record', 'regime_hour', 'gap_fill', 'document_piece', 'frontier_history',
                                'declaration', 'document', 'analyser_test', 'period_seal', 'period_point', 'period_kpi',
                                'period_source', 'period_regime'] LOOP
        EXECUTE format('CREATE INDEX %1$s_by_batch ON %1$s (batch_no)', name);
        EXECUTE format('CREATE TRIGGER note_said AFTER INSERT OR UPDATE ON %1$s FOR EACH STATEMENT EXECUTE FUNCTION note_table(%1$L)',
                       name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['interval', 'kpi_value', 'emission', 'ledger', 'hour_record', 'regime_hour'] LOOP
        EXECUTE format('CREATE INDEX %1$s_history_superseded ON %1$s_history (superseded_batch)', name);
        CONTINUE WHEN name = 'regime_hour';      -- which keeps only what does not go on in place (0023_hours_reported)
        EXECUTE format($keep$
            CREATE OR REPLACE FUNCTION keep_%1$s() RETURNS trigger LANGUAGE plpgsql AS $body$
            DECLARE
                batch bigint := CASE WHEN TG_OP = 'UPDATE' THEN NEW.batch_no ELSE batch_under_way() END;
            BEGIN
                IF batch <> OLD.batch_no THEN
                    INSERT INTO %1$s_history VALUES (batch, OLD.*);
                    PERFORM note_said('%1$s superseded');
                END IF;
                RETURN NULL;
            END
            $body$ $keep$, name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['gap_fill', 'document_piece'] LOOP
        EXECUTE format('CREATE INDEX %1$s_superseded ON %1$s (superseded_batch) WHERE superseded_batch IS NOT NULL', name);
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION keep_regime_hour() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    batch bigint := CASE WHEN TG_OP = 'UPDATE' THEN NEW.batch_no ELSE batch_under_way() END;
BEGIN
    IF batch <> OLD.batch_no AND (TG_OP = 'DELETE' OR NEW.revision <> OLD.revision) THEN
        INSERT INTO regime_hour_history VALUES (batch, OLD.*);
        PERFORM note_said('regime_hour superseded');
    END IF;
    RETURN NULL;
END
$$;

-- For verification, which reads rows by batch; of no cost to what is overwritten in place (PostgreSQL 16 and later).
CREATE INDEX interval_by_batch ON interval USING brin (batch_no) WITH (pages_per_range = 32);
CREATE INDEX kpi_value_by_batch ON kpi_value USING brin (batch_no) WITH (pages_per_range = 32);
CREATE INDEX emission_by_batch ON emission USING brin (batch_no) WITH (pages_per_range = 32);
