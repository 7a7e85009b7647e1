-- A replaced meter and the step that comes to its last register stand at one instant.

ALTER TABLE ledger DROP CONSTRAINT ledger_pkey;
ALTER TABLE ledger ADD PRIMARY KEY (point_no, at, class);
COMMENT ON COLUMN ledger.at IS 'of the reading after the step; of a glitch its own';
COMMENT ON COLUMN ledger.previous_at IS 'of the reading kept before';
