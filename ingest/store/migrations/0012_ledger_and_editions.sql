-- What the ledger said before: steps that a later batch has booked otherwise or struck. Read as the other histories are
-- (0005_history): of a batch before this migration it knows what was booked by then and has not been changed since.

CREATE TABLE ledger_history (
    superseded_batch bigint NOT NULL,              -- the batch that changed the row or took it away
    LIKE ledger,
    PRIMARY KEY (point_no, at, class, batch_no)
);
CREATE FUNCTION keep_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    batch bigint := CASE WHEN TG_OP = 'UPDATE' THEN NEW.batch_no ELSE batch_under_way() END;
BEGIN
    IF batch <> OLD.batch_no THEN
        INSERT INTO ledger_history VALUES (batch, OLD.*);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER keep_history AFTER UPDATE OR DELETE ON ledger FOR EACH ROW EXECUTE FUNCTION keep_ledger();

-- A period that is reopened is sealed again in the same act, as its next edition: with totals of its own, by whom, when and why.
ALTER TABLE period_seal ADD COLUMN reason text;    -- why it was sealed again; NULL: it is the first edition
