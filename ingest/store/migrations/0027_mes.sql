-- What a MES tells of orders, quantities and machine states: facts under the MES's own ids, added to and never changed. What they
-- come to is a function of the set of them (ingest/mes/reduction.py), so the truth as of batch B is that of rows with batch_no <= B.

CREATE TABLE mes_statement (
    site_no     integer     NOT NULL REFERENCES site,
    statement_no bigint     GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    said        text        NOT NULL,            -- sha256 of all that was told: what comes again is no second fact
    kind        text        NOT NULL,            -- order, event, segment, production, state
    id          text        NOT NULL,            -- of one kind and id the largest seq counts, then the largest said
    seq         bigint      NOT NULL,            -- -1: none was given
    order_id    text,
    unit        text,                            -- full id
    from_at     timestamptz NOT NULL,            -- when it happened; of an order's header when it was told
    to_at       timestamptz NOT NULL,            -- end of the span it is about, at least from_at
    body        jsonb       NOT NULL,            -- as understood: canonical
    received_at timestamptz NOT NULL,
    known_at    timestamptz NOT NULL,
    batch_no    bigint      NOT NULL,
    UNIQUE (site_no, said)
);
CREATE INDEX mes_statement_of_order ON mes_statement (site_no, order_id, from_at);
CREATE INDEX mes_statement_of_unit ON mes_statement (site_no, unit, kind, from_at);
CREATE INDEX mes_statement_of_id ON mes_statement (site_no, kind, id);
CREATE INDEX mes_statement_by_batch ON mes_statement (batch_no);
CREATE TRIGGER note_said AFTER INSERT OR UPDATE ON mes_statement FOR EACH STATEMENT EXECUTE FUNCTION note_table('mes_statement');
