-- Hours of regimes that are provisional are overwritten in place while time alone moves their numbers, as provisional
-- intervals are: the same revision goes on, and nothing goes to the history. `begun_batch` says since when it stands.

ALTER TABLE regime_hour ADD COLUMN begun_batch bigint;          -- the batch that said this revision first
ALTER TABLE regime_hour_history ADD COLUMN begun_batch bigint;
UPDATE regime_hour SET begun_batch = batch_no;
UPDATE regime_hour_history SET begun_batch = batch_no;
ALTER TABLE regime_hour ALTER COLUMN begun_batch SET NOT NULL;
ALTER TABLE regime_hour_history ALTER COLUMN begun_batch SET NOT NULL;

CREATE OR REPLACE FUNCTION keep_regime_hour() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    batch bigint := CASE WHEN TG_OP = 'UPDATE' THEN NEW.batch_no ELSE batch_under_way() END;
BEGIN
    IF batch <> OLD.batch_no AND (TG_OP = 'DELETE' OR NEW.revision <> OLD.revision) THEN
        INSERT INTO regime_hour_history VALUES (batch, OLD.*);
    END IF;
    RETURN NULL;
END
$$;

CREATE TABLE period_regime (                     -- what the hours of a source come to by its regime; all NULL: nothing
    seal_no        bigint           NOT NULL REFERENCES period_seal,
    source_no      integer          NOT NULL,
    rule           text,                         -- the regime that made them: part75, hj75, …
    mass_kg        double precision,             -- correctly rounded sum of hours; NULL: one of them has none
    hours          bigint,                       -- that begin in the period
    without_mass   bigint,
    substituted    bigint,
    provisional    bigint,                       -- will be told anew when a gap ends or the regime's period closes
    quality        smallint,                     -- the worst of them
    cause          smallint         NOT NULL,
    known_at       timestamptz      NOT NULL,
    batch_no       bigint           NOT NULL,
    PRIMARY KEY (seal_no, source_no, batch_no)
);
CREATE INDEX period_regime_known ON period_regime (known_at);
