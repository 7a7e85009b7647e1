-- What was said before: rows of closed intervals that a later batch has changed or taken away.
-- Truth at batch B: rows of the table and of its history with batch_no <= B, of the history those with superseded_batch > B.
-- Whoever adds a column to one of the three tables appends it to its history too: the rows are copied whole.

CREATE TABLE interval_history (
    superseded_batch bigint NOT NULL,              -- the batch that changed the row or took it away
    LIKE interval,
    PRIMARY KEY (point_no, start_at, batch_no)
);
CREATE TABLE kpi_value_history (
    superseded_batch bigint NOT NULL,
    LIKE kpi_value,
    PRIMARY KEY (kpi_no, start_at, batch_no)
);
CREATE TABLE emission_history (
    superseded_batch bigint NOT NULL,
    LIKE emission,
    PRIMARY KEY (source_no, start_at, batch_no)
);

-- The batch under way, as the writer sets it with its commit row. Without one nothing closed may be deleted.
CREATE FUNCTION batch_under_way() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    said text := current_setting('stackwatt.batch_no', true);
BEGIN
    IF said IS NULL OR said = '' THEN
        RAISE EXCEPTION 'a closed row can only be deleted by a batch of ingest: no batch is under way';
    END IF;
    RETURN said::bigint;
END
$$;

-- What a batch says twice of one row it has said once: the first was never seen.
CREATE FUNCTION keep_interval() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    batch bigint := CASE WHEN TG_OP = 'UPDATE' THEN NEW.batch_no ELSE batch_under_way() END;
BEGIN
    IF batch <> OLD.batch_no THEN
        INSERT INTO interval_history VALUES (batch, OLD.*);
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION keep_kpi_value() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    batch bigint := CASE WHEN TG_OP = 'UPDATE' THEN NEW.batch_no ELSE batch_under_way() END;
BEGIN
    IF batch <> OLD.batch_no THEN
        INSERT INTO kpi_value_history VALUES (batch, OLD.*);
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION keep_emission() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    batch bigint := CASE WHEN TG_OP = 'UPDATE' THEN NEW.batch_no ELSE batch_under_way() END;
BEGIN
    IF batch <> OLD.batch_no THEN
        INSERT INTO emission_history VALUES (batch, OLD.*);
    END IF;
    RETURN NULL;
END
$$;

-- Closing inserts a row or overwrites a provisional one, and neither comes here.
CREATE TRIGGER keep_history AFTER UPDATE OR DELETE ON interval
    FOR EACH ROW WHEN (OLD.revision > 0) EXECUTE FUNCTION keep_interval();
CREATE TRIGGER keep_history AFTER UPDATE OR DELETE ON kpi_value
    FOR EACH ROW WHEN (OLD.revision > 0) EXECUTE FUNCTION keep_kpi_value();
CREATE TRIGGER keep_history AFTER UPDATE OR DELETE ON emission
    FOR EACH ROW WHEN (OLD.revision > 0) EXECUTE FUNCTION keep_emission();

-- Where a frontier stood that no row tells: a closed row says that everything up to its end was closed; this says it
-- of what was closed and left no row, at most once an hour a silent point.
CREATE TABLE frontier_history (
    point_no     integer     NOT NULL,
    closed_until timestamptz NOT NULL,
    batch_no     bigint      NOT NULL,
    PRIMARY KEY (point_no, closed_until)
);
INSERT INTO frontier_history SELECT point_no, closed_until, batch_no FROM point_state;
