-- Who changed what, when, from what to what: written in the transaction that changes it, never changed itself.

CREATE TABLE audit (
    audit_no bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL DEFAULT now(),   -- the database's clock: no writer tells its own
    who      text        NOT NULL,                 -- name of a key, or user@host of a console
    via      text        NOT NULL CHECK (via IN ('api', 'console', 'ingest')),
    what     text        NOT NULL CHECK (what ~ '^[a-z_]+\.[a-z_]+$'),   -- key.created, plan.applied, …
    site_no  integer     REFERENCES site,          -- NULL: of no one site
    subject  text        NOT NULL,                 -- what was changed
    before   jsonb,
    after    jsonb
);
CREATE INDEX audit_of_site ON audit (site_no, audit_no);

CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is only ever added to';
END
$$;
CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_stays();

-- A successor has the name of the key it follows: names are people, and two keys of one are not two people.
ALTER TABLE api_key DROP CONSTRAINT api_key_name_key;
ALTER TABLE api_key
    ADD COLUMN expires_at      timestamptz,
    ADD COLUMN last_used_at    timestamptz,                        -- to the minute
    ADD COLUMN succeeds        integer UNIQUE REFERENCES api_key,
    ADD COLUMN idempotency_key text    UNIQUE,                     -- of the request that made it; NULL: the console
    ADD COLUMN request         bytea;                              -- sha256 of that request, to know it again
CREATE UNIQUE INDEX api_key_name ON api_key (name) WHERE succeeds IS NULL;
COMMENT ON COLUMN api_key.scopes IS 'read, mes, operate, admin; with @site only there';
