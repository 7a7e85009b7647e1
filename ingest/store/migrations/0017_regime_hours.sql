-- Hours of measured sources by the rule of their regime, the hourly facts they are made of, and the analysers' tests.
-- Hours begin in the regime's own standard time. All of it follows from intervals, tests and the newest plan; what was
-- said before is kept as that of intervals is (0005_history).

CREATE TABLE analyser_test (
    test_no      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_no      integer     NOT NULL REFERENCES site,
    instrument   text        NOT NULL,           -- full id, site/instrument
    kind         text        NOT NULL,           -- daily_calibration, linearity, rata, qal2, …
    performed_at timestamptz NOT NULL,           -- when it was completed
    readings     jsonb       NOT NULL,           -- as they were told
    result       jsonb       NOT NULL,
    passed       boolean,                        -- NULL: cannot be judged, result says why
    note         text        NOT NULL,
    author       text        NOT NULL,
    inbox_no     bigint      NOT NULL,
    known_at     timestamptz NOT NULL,
    batch_no     bigint      NOT NULL
);
-- Of the tests of one kind at one instant the last told counts.
CREATE INDEX analyser_test_of ON analyser_test (site_no, instrument, kind, performed_at, test_no);

CREATE TABLE hour_record (
    source_no    integer          NOT NULL,
    component    text             NOT NULL,      -- concentration, flow, moisture, o2, operating, load, cap
    start_at     timestamptz      NOT NULL,
    value        double precision,               -- mean over valid time in the point's unit; NULL none
    valid_us     bigint           NOT NULL,
    minutes_us   bigint           NOT NULL,      -- of minutes that are valid as a whole
    covered_us   bigint           NOT NULL,
    on_us        bigint           NOT NULL,      -- of a state: when it was not 0
    quarters     smallint         NOT NULL,      -- bit q: something valid, of a state not 0, in that quarter of the hour
    apart_us     bigint           NOT NULL,      -- from the first valid interval to the last
    away         smallint         NOT NULL,      -- 1: calibration or maintenance in it
    revision     integer          NOT NULL,
    cause        smallint         NOT NULL,
    plan_version integer          NOT NULL,
    known_at     timestamptz      NOT NULL,
    batch_no     bigint           NOT NULL,
    PRIMARY KEY (source_no, component, start_at)
);

CREATE TABLE regime_hour (
    source_no    integer          NOT NULL,
    start_at     timestamptz      NOT NULL,
    mass_kg      double precision,               -- not rounded; NULL: none, reasons says why
    rate         double precision,               -- in the equation's unit, not rounded
    operating_us bigint           NOT NULL,      -- how long the unit ran
    components   jsonb            NOT NULL,      -- name → value, code, state, provisional, availability_pct, …
    provisional  boolean          NOT NULL,      -- will be told anew when a gap ends or a period closes
    quality      smallint         NOT NULL,
    reasons      integer          NOT NULL,      -- bits of ingest.methods.hour_states.HourReason
    revision     integer          NOT NULL,
    cause        smallint         NOT NULL,
    plan_version integer          NOT NULL,
    known_at     timestamptz      NOT NULL,
    batch_no     bigint           NOT NULL,
    PRIMARY KEY (source_no, start_at)
);

CREATE TABLE hour_record_history (
    superseded_batch bigint NOT NULL,
    LIKE hour_record,
    PRIMARY KEY (source_no, component, start_at, batch_no)
);
CREATE TABLE regime_hour_history (
    superseded_batch bigint NOT NULL,
    LIKE regime_hour,
    PRIMARY KEY (source_no, start_at, batch_no)
);
CREATE FUNCTION keep_hour_record() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    batch bigint := CASE WHEN TG_OP = 'UPDATE' THEN NEW.batch_no ELSE batch_under_way() END;
BEGIN
    IF batch <> OLD.batch_no THEN
        INSERT INTO hour_record_history VALUES (batch, OLD.*);
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION keep_regime_hour() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    batch bigint := CASE WHEN TG_OP = 'UPDATE' THEN NEW.batch_no ELSE batch_under_way() END;
BEGIN
    IF batch <> OLD.batch_no THEN
        INSERT INTO regime_hour_history VALUES (batch, OLD.*);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER keep_history AFTER UPDATE OR DELETE ON hour_record
    FOR EACH ROW EXECUTE FUNCTION keep_hour_record();
CREATE TRIGGER keep_history AFTER UPDATE OR DELETE ON regime_hour
    FOR EACH ROW EXECUTE FUNCTION keep_regime_hour();
