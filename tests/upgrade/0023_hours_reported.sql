SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE FUNCTION public.batch_under_way() RETURNS bigint
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    said text := current_setting('stackwatt.batch_no', true);
BEGIN
    IF said IS NULL OR said = '' THEN
        RAISE EXCEPTION 'a closed row can only be deleted by a batch of ingest: no batch is under way';
    END IF;
    RETURN said::bigint;
END
$$;
CREATE FUNCTION public.event_waits() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO event_waiting (event_no) VALUES (NEW.event_no);
    RETURN NULL;
END
$$;
CREATE FUNCTION public.keep_emission() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    batch bigint := CASE WHEN TG_OP = 'UPDATE' THEN NEW.batch_no ELSE batch_under_way() END;
BEGIN
    IF batch <> OLD.batch_no THEN
        INSERT INTO emission_history VALUES (batch, OLD.*);
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION public.keep_hour_record() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    batch bigint := CASE WHEN TG_OP = 'UPDATE' THEN NEW.batch_no ELSE batch_under_way() END;
BEGIN
    IF batch <> OLD.batch_no THEN
        INSERT INTO hour_record_history VALUES (batch, OLD.*);
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION public.keep_interval() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    batch bigint := CASE WHEN TG_OP = 'UPDATE' THEN NEW.batch_no ELSE batch_under_way() END;
BEGIN
    IF batch <> OLD.batch_no THEN
        INSERT INTO interval_history VALUES (batch, OLD.*);
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION public.keep_kpi_value() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    batch bigint := CASE WHEN TG_OP = 'UPDATE' THEN NEW.batch_no ELSE batch_under_way() END;
BEGIN
    IF batch <> OLD.batch_no THEN
        INSERT INTO kpi_value_history VALUES (batch, OLD.*);
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION public.keep_ledger() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    batch bigint := CASE WHEN TG_OP = 'UPDATE' THEN NEW.batch_no ELSE batch_under_way() END;
BEGIN
    IF batch <> OLD.batch_no THEN
        INSERT INTO ledger_history VALUES (batch, OLD.*);
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION public.keep_regime_hour() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    batch bigint := CASE WHEN TG_OP = 'UPDATE' THEN NEW.batch_no ELSE batch_under_way() END;
BEGIN
    IF batch <> OLD.batch_no AND (TG_OP = 'DELETE' OR NEW.revision <> OLD.revision) THEN
        INSERT INTO regime_hour_history VALUES (batch, OLD.*);
    END IF;
    RETURN NULL;
END
$$;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.alert_act (
    act_no bigint NOT NULL,
    site_no integer NOT NULL,
    episode text NOT NULL,
    kind text NOT NULL,
    note text NOT NULL,
    assignee text,
    author text NOT NULL,
    at timestamp with time zone NOT NULL,
    inbox_no bigint NOT NULL,
    CONSTRAINT alert_act_check CHECK (((kind = 'assign'::text) = (assignee IS NOT NULL))),
    CONSTRAINT alert_act_kind_check CHECK ((kind = ANY (ARRAY['acknowledge'::text, 'comment'::text, 'assign'::text])))
);
ALTER TABLE public.alert_act ALTER COLUMN act_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.alert_act_act_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.alert_episode (
    episode text NOT NULL,
    episode_no bigint NOT NULL,
    site_no integer NOT NULL,
    rule text NOT NULL,
    severity text NOT NULL,
    subject_kind text NOT NULL,
    subject_id text NOT NULL,
    unit_path text,
    window_us bigint NOT NULL,
    pending_at timestamp with time zone NOT NULL,
    fired_at timestamp with time zone NOT NULL,
    told_at timestamp with time zone,
    mute text,
    resolved_at timestamp with time zone,
    data jsonb NOT NULL,
    noted integer DEFAULT 0 NOT NULL,
    batch_no bigint NOT NULL,
    CONSTRAINT alert_episode_mute_check CHECK ((mute = ANY (ARRAY['historical'::text, 'silenced'::text, 'parent'::text, 'dampened'::text])))
);
ALTER TABLE public.alert_episode ALTER COLUMN episode_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.alert_episode_episode_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.alert_silence (
    silence_no bigint NOT NULL,
    site_no integer NOT NULL,
    rule text,
    unit_path text,
    from_at timestamp with time zone NOT NULL,
    to_at timestamp with time zone NOT NULL,
    reason text NOT NULL,
    author text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    ended_by text,
    inbox_no bigint NOT NULL,
    CONSTRAINT alert_silence_check CHECK ((from_at <= to_at))
);
ALTER TABLE public.alert_silence ALTER COLUMN silence_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.alert_silence_silence_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.alert_state (
    site_no integer NOT NULL,
    rule text NOT NULL,
    watches text NOT NULL,
    state smallint NOT NULL,
    told boolean NOT NULL,
    pending_us bigint,
    fired_us bigint,
    held_from bigint,
    held_us bigint NOT NULL,
    seen_us bigint,
    born_us bigint,
    excess double precision NOT NULL,
    told_at bigint[] NOT NULL,
    past_at bigint[] NOT NULL,
    past_value double precision[] NOT NULL,
    batch_no bigint NOT NULL
);
CREATE TABLE public.analyser_test (
    test_no bigint NOT NULL,
    site_no integer NOT NULL,
    instrument text NOT NULL,
    kind text NOT NULL,
    performed_at timestamp with time zone NOT NULL,
    readings jsonb NOT NULL,
    result jsonb NOT NULL,
    passed boolean,
    note text NOT NULL,
    author text NOT NULL,
    inbox_no bigint NOT NULL,
    known_at timestamp with time zone NOT NULL,
    batch_no bigint NOT NULL
);
ALTER TABLE public.analyser_test ALTER COLUMN test_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.analyser_test_test_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.api_key (
    key_no integer NOT NULL,
    name text NOT NULL,
    digest bytea NOT NULL,
    scopes text[] NOT NULL,
    sites text[],
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    revoked_at timestamp with time zone
);
ALTER TABLE public.api_key ALTER COLUMN key_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.api_key_key_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.comparison (
    point_no integer NOT NULL,
    start_at timestamp with time zone NOT NULL,
    own double precision NOT NULL,
    other double precision NOT NULL,
    common_us bigint NOT NULL,
    verdict smallint NOT NULL,
    plan_version integer NOT NULL,
    batch_no bigint NOT NULL
);
CREATE TABLE public.declaration (
    declaration_no bigint NOT NULL,
    site_no integer NOT NULL,
    point_no integer NOT NULL,
    kind text NOT NULL,
    at timestamp with time zone NOT NULL,
    body jsonb NOT NULL,
    withdraws bigint,
    note text NOT NULL,
    author text NOT NULL,
    proposed_at timestamp with time zone NOT NULL,
    idempotency_key text NOT NULL,
    digest bytea NOT NULL,
    decision text,
    decided_by text,
    decided_at timestamp with time zone,
    inbox_no bigint,
    batch_no bigint,
    failure text,
    CONSTRAINT declaration_check CHECK (((kind = 'withdrawal'::text) = (withdraws IS NOT NULL))),
    CONSTRAINT declaration_check1 CHECK ((((decision IS NULL) = (decided_by IS NULL)) AND ((decision IS NULL) = (decided_at IS NULL)))),
    CONSTRAINT declaration_check2 CHECK (((NOT (decision IS DISTINCT FROM 'approved'::text)) = (inbox_no IS NOT NULL))),
    CONSTRAINT declaration_check3 CHECK (((decision <> 'approved'::text) OR (decided_by <> author))),
    CONSTRAINT declaration_check4 CHECK (((batch_no IS NULL) OR (failure IS NULL))),
    CONSTRAINT declaration_decision_check CHECK ((decision = ANY (ARRAY['approved'::text, 'refused'::text]))),
    CONSTRAINT declaration_kind_check CHECK ((kind = ANY (ARRAY['correction'::text, 'replacement'::text, 'withdrawal'::text]))),
    CONSTRAINT declaration_note_check CHECK (((length(note) >= 1) AND (length(note) <= 500)))
);
ALTER TABLE public.declaration ALTER COLUMN declaration_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.declaration_declaration_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.delivery (
    delivery_no bigint NOT NULL,
    webhook_no integer NOT NULL,
    sequence bigint NOT NULL,
    event_no bigint,
    event_id text NOT NULL,
    type text NOT NULL,
    stream text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    data jsonb,
    made_at timestamp with time zone NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    due_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    claimed_by integer,
    claimed_until timestamp with time zone,
    CONSTRAINT delivery_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'delivered'::text, 'dead'::text])))
);
CREATE TABLE public.delivery_attempt (
    delivery_no bigint NOT NULL,
    attempt integer NOT NULL,
    begun_at timestamp with time zone NOT NULL,
    duration_ms integer NOT NULL,
    status smallint,
    error text,
    answer text
);
ALTER TABLE public.delivery ALTER COLUMN delivery_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.delivery_delivery_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.document (
    document_no bigint NOT NULL,
    site_no integer NOT NULL,
    kind text NOT NULL,
    number text NOT NULL,
    subject text NOT NULL,
    from_at timestamp with time zone,
    to_at timestamp with time zone,
    lot text,
    count bigint,
    value double precision,
    body jsonb NOT NULL,
    file_sha256 text NOT NULL,
    supersedes bigint,
    withdraws bigint,
    note text NOT NULL,
    author text NOT NULL,
    proposed_at timestamp with time zone NOT NULL,
    idempotency_key text NOT NULL,
    digest bytea NOT NULL,
    decision text,
    decided_by text,
    decided_at timestamp with time zone,
    inbox_no bigint,
    batch_no bigint,
    failure text,
    CONSTRAINT document_check CHECK (((kind = 'withdrawal'::text) = (withdraws IS NOT NULL))),
    CONSTRAINT document_check1 CHECK ((((from_at IS NULL) = (to_at IS NULL)) AND (from_at < to_at))),
    CONSTRAINT document_check2 CHECK (((from_at IS NOT NULL) OR (lot IS NOT NULL) OR (kind = 'withdrawal'::text))),
    CONSTRAINT document_check3 CHECK (((kind = 'withdrawal'::text) OR (((kind = 'analysis'::text) = (value IS NOT NULL)) AND ((kind = 'analysis'::text) = (count IS NULL))))),
    CONSTRAINT document_check4 CHECK ((((decision IS NULL) = (decided_by IS NULL)) AND ((decision IS NULL) = (decided_at IS NULL)))),
    CONSTRAINT document_check5 CHECK (((NOT (decision IS DISTINCT FROM 'approved'::text)) = (inbox_no IS NOT NULL))),
    CONSTRAINT document_check6 CHECK (((decision <> 'approved'::text) OR (decided_by <> author))),
    CONSTRAINT document_check7 CHECK (((batch_no IS NULL) OR (failure IS NULL))),
    CONSTRAINT document_decision_check CHECK ((decision = ANY (ARRAY['approved'::text, 'refused'::text]))),
    CONSTRAINT document_file_sha256_check CHECK ((file_sha256 ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT document_kind_check CHECK ((kind = ANY (ARRAY['invoice'::text, 'weighbridge'::text, 'stock_change'::text, 'analysis'::text, 'other'::text, 'withdrawal'::text])))
);
ALTER TABLE public.document ALTER COLUMN document_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.document_document_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.document_piece (
    source_no integer NOT NULL,
    document_no bigint NOT NULL,
    from_at timestamp with time zone NOT NULL,
    to_at timestamp with time zone NOT NULL,
    kg_per_count double precision,
    analyses bigint[] NOT NULL,
    defaulted text[] NOT NULL,
    revision integer NOT NULL,
    cause smallint NOT NULL,
    plan_version integer NOT NULL,
    known_at timestamp with time zone NOT NULL,
    batch_no bigint NOT NULL,
    superseded_batch bigint
);
CREATE TABLE public.emission (
    source_no integer NOT NULL,
    start_at timestamp with time zone NOT NULL,
    mass_kg double precision NOT NULL,
    covered_us bigint NOT NULL,
    valid_us bigint NOT NULL,
    substituted_us bigint NOT NULL,
    quality smallint NOT NULL,
    reasons integer NOT NULL,
    revision integer NOT NULL,
    cause smallint NOT NULL,
    plan_version integer NOT NULL,
    known_at timestamp with time zone NOT NULL,
    batch_no bigint NOT NULL
);
CREATE TABLE public.emission_history (
    superseded_batch bigint NOT NULL,
    source_no integer CONSTRAINT emission_source_no_not_null NOT NULL,
    start_at timestamp with time zone CONSTRAINT emission_start_at_not_null NOT NULL,
    mass_kg double precision CONSTRAINT emission_mass_kg_not_null NOT NULL,
    covered_us bigint CONSTRAINT emission_covered_us_not_null NOT NULL,
    valid_us bigint CONSTRAINT emission_valid_us_not_null NOT NULL,
    substituted_us bigint CONSTRAINT emission_substituted_us_not_null NOT NULL,
    quality smallint CONSTRAINT emission_quality_not_null NOT NULL,
    reasons integer CONSTRAINT emission_reasons_not_null NOT NULL,
    revision integer CONSTRAINT emission_revision_not_null NOT NULL,
    cause smallint CONSTRAINT emission_cause_not_null NOT NULL,
    plan_version integer CONSTRAINT emission_plan_version_not_null NOT NULL,
    known_at timestamp with time zone CONSTRAINT emission_known_at_not_null NOT NULL,
    batch_no bigint CONSTRAINT emission_batch_no_not_null NOT NULL
);
CREATE TABLE public.event (
    event_no bigint NOT NULL,
    site_no integer NOT NULL,
    id text NOT NULL,
    type text NOT NULL,
    stream text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    batch_no bigint NOT NULL,
    historical boolean DEFAULT false NOT NULL,
    data jsonb NOT NULL
);
ALTER TABLE public.event ALTER COLUMN event_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.event_event_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.event_waiting (
    event_no bigint NOT NULL
);
CREATE TABLE public.frontier_history (
    point_no integer NOT NULL,
    closed_until timestamp with time zone NOT NULL,
    batch_no bigint NOT NULL
);
CREATE TABLE public.gap_fill (
    point_no integer NOT NULL,
    from_at timestamp with time zone NOT NULL,
    to_at timestamp with time zone NOT NULL,
    plan_version integer NOT NULL,
    asked smallint NOT NULL,
    used smallint NOT NULL,
    because smallint NOT NULL,
    source_no integer NOT NULL,
    source_from timestamp with time zone NOT NULL,
    source_to timestamp with time zone NOT NULL,
    batch_no bigint NOT NULL,
    superseded_batch bigint,
    CONSTRAINT gap_fill_check CHECK ((from_at < to_at))
);
CREATE TABLE public.hour_record (
    source_no integer NOT NULL,
    component text NOT NULL,
    start_at timestamp with time zone NOT NULL,
    value double precision,
    valid_us bigint NOT NULL,
    minutes_us bigint NOT NULL,
    covered_us bigint NOT NULL,
    on_us bigint NOT NULL,
    quarters smallint NOT NULL,
    apart_us bigint NOT NULL,
    away smallint NOT NULL,
    revision integer NOT NULL,
    cause smallint NOT NULL,
    plan_version integer NOT NULL,
    known_at timestamp with time zone NOT NULL,
    batch_no bigint NOT NULL
);
CREATE TABLE public.hour_record_history (
    superseded_batch bigint NOT NULL,
    source_no integer CONSTRAINT hour_record_source_no_not_null NOT NULL,
    component text CONSTRAINT hour_record_component_not_null NOT NULL,
    start_at timestamp with time zone CONSTRAINT hour_record_start_at_not_null NOT NULL,
    value double precision,
    valid_us bigint CONSTRAINT hour_record_valid_us_not_null NOT NULL,
    minutes_us bigint CONSTRAINT hour_record_minutes_us_not_null NOT NULL,
    covered_us bigint CONSTRAINT hour_record_covered_us_not_null NOT NULL,
    on_us bigint CONSTRAINT hour_record_on_us_not_null NOT NULL,
    quarters smallint CONSTRAINT hour_record_quarters_not_null NOT NULL,
    apart_us bigint CONSTRAINT hour_record_apart_us_not_null NOT NULL,
    away smallint CONSTRAINT hour_record_away_not_null NOT NULL,
    revision integer CONSTRAINT hour_record_revision_not_null NOT NULL,
    cause smallint CONSTRAINT hour_record_cause_not_null NOT NULL,
    plan_version integer CONSTRAINT hour_record_plan_version_not_null NOT NULL,
    known_at timestamp with time zone CONSTRAINT hour_record_known_at_not_null NOT NULL,
    batch_no bigint CONSTRAINT hour_record_batch_no_not_null NOT NULL
);
CREATE TABLE public.inbox (
    inbox_no bigint NOT NULL,
    site_no integer NOT NULL,
    kind text NOT NULL,
    body text NOT NULL,
    idempotency_key text NOT NULL,
    author text NOT NULL,
    priority smallint DEFAULT 0 NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    batch_no bigint
);
ALTER TABLE public.inbox ALTER COLUMN inbox_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.inbox_inbox_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.ingest_commit (
    site_no integer NOT NULL,
    batch_no bigint NOT NULL,
    epoch bigint NOT NULL,
    known_at timestamp with time zone NOT NULL,
    plan_version integer NOT NULL,
    watermark timestamp with time zone,
    readings integer NOT NULL
);
CREATE TABLE public."interval" (
    point_no integer NOT NULL,
    start_at timestamp with time zone NOT NULL,
    amount double precision,
    amount_count bigint,
    mean double precision,
    min double precision,
    max double precision,
    covered_us bigint NOT NULL,
    valid_us bigint NOT NULL,
    substituted_us bigint NOT NULL,
    quality smallint NOT NULL,
    reasons integer NOT NULL,
    revision integer NOT NULL,
    cause smallint NOT NULL,
    plan_version integer NOT NULL,
    known_at timestamp with time zone NOT NULL,
    batch_no bigint NOT NULL
);
CREATE TABLE public.interval_day (
    point_no integer CONSTRAINT interval_hour_point_no_not_null NOT NULL,
    start_at timestamp with time zone CONSTRAINT interval_hour_start_at_not_null NOT NULL,
    amount double precision,
    amount_count bigint,
    mean double precision,
    min double precision,
    max double precision,
    covered_us bigint CONSTRAINT interval_hour_covered_us_not_null NOT NULL,
    valid_us bigint CONSTRAINT interval_hour_valid_us_not_null NOT NULL,
    substituted_us bigint CONSTRAINT interval_hour_substituted_us_not_null NOT NULL,
    quality smallint CONSTRAINT interval_hour_quality_not_null NOT NULL,
    reasons integer CONSTRAINT interval_hour_reasons_not_null NOT NULL,
    intervals integer CONSTRAINT interval_hour_intervals_not_null NOT NULL,
    known_at timestamp with time zone CONSTRAINT interval_hour_known_at_not_null NOT NULL,
    batch_no bigint CONSTRAINT interval_hour_batch_no_not_null NOT NULL
)
WITH (fillfactor='50');
CREATE TABLE public.interval_history (
    superseded_batch bigint NOT NULL,
    point_no integer CONSTRAINT interval_point_no_not_null NOT NULL,
    start_at timestamp with time zone CONSTRAINT interval_start_at_not_null NOT NULL,
    amount double precision,
    amount_count bigint,
    mean double precision,
    min double precision,
    max double precision,
    covered_us bigint CONSTRAINT interval_covered_us_not_null NOT NULL,
    valid_us bigint CONSTRAINT interval_valid_us_not_null NOT NULL,
    substituted_us bigint CONSTRAINT interval_substituted_us_not_null NOT NULL,
    quality smallint CONSTRAINT interval_quality_not_null NOT NULL,
    reasons integer CONSTRAINT interval_reasons_not_null NOT NULL,
    revision integer CONSTRAINT interval_revision_not_null NOT NULL,
    cause smallint CONSTRAINT interval_cause_not_null NOT NULL,
    plan_version integer CONSTRAINT interval_plan_version_not_null NOT NULL,
    known_at timestamp with time zone CONSTRAINT interval_known_at_not_null NOT NULL,
    batch_no bigint CONSTRAINT interval_batch_no_not_null NOT NULL
);
CREATE TABLE public.interval_hour (
    point_no integer NOT NULL,
    start_at timestamp with time zone NOT NULL,
    amount double precision,
    amount_count bigint,
    mean double precision,
    min double precision,
    max double precision,
    covered_us bigint NOT NULL,
    valid_us bigint NOT NULL,
    substituted_us bigint NOT NULL,
    quality smallint NOT NULL,
    reasons integer NOT NULL,
    intervals integer NOT NULL,
    known_at timestamp with time zone NOT NULL,
    batch_no bigint NOT NULL,
    mean_sum double precision,
    mean_us bigint
)
WITH (fillfactor='50');
CREATE TABLE public.kpi (
    kpi_no integer NOT NULL,
    site_no integer NOT NULL,
    id text NOT NULL
);
ALTER TABLE public.kpi ALTER COLUMN kpi_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.kpi_kpi_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.kpi_latest (
    kpi_no integer NOT NULL,
    window_us bigint NOT NULL,
    from_at timestamp with time zone NOT NULL,
    to_at timestamp with time zone NOT NULL,
    a double precision NOT NULL,
    b double precision NOT NULL,
    value double precision,
    reason text,
    covered_us bigint NOT NULL,
    valid_us bigint NOT NULL,
    substituted_us bigint NOT NULL,
    quality smallint NOT NULL,
    reasons integer NOT NULL,
    plan_version integer NOT NULL,
    known_at timestamp with time zone NOT NULL,
    batch_no bigint NOT NULL
);
CREATE TABLE public.kpi_value (
    kpi_no integer NOT NULL,
    start_at timestamp with time zone NOT NULL,
    a double precision NOT NULL,
    b double precision NOT NULL,
    covered_us bigint NOT NULL,
    valid_us bigint NOT NULL,
    substituted_us bigint NOT NULL,
    quality smallint NOT NULL,
    reasons integer NOT NULL,
    revision integer NOT NULL,
    cause smallint NOT NULL,
    plan_version integer NOT NULL,
    known_at timestamp with time zone NOT NULL,
    batch_no bigint NOT NULL
);
CREATE TABLE public.kpi_value_history (
    superseded_batch bigint NOT NULL,
    kpi_no integer CONSTRAINT kpi_value_kpi_no_not_null NOT NULL,
    start_at timestamp with time zone CONSTRAINT kpi_value_start_at_not_null NOT NULL,
    a double precision CONSTRAINT kpi_value_a_not_null NOT NULL,
    b double precision CONSTRAINT kpi_value_b_not_null NOT NULL,
    covered_us bigint CONSTRAINT kpi_value_covered_us_not_null NOT NULL,
    valid_us bigint CONSTRAINT kpi_value_valid_us_not_null NOT NULL,
    substituted_us bigint CONSTRAINT kpi_value_substituted_us_not_null NOT NULL,
    quality smallint CONSTRAINT kpi_value_quality_not_null NOT NULL,
    reasons integer CONSTRAINT kpi_value_reasons_not_null NOT NULL,
    revision integer CONSTRAINT kpi_value_revision_not_null NOT NULL,
    cause smallint CONSTRAINT kpi_value_cause_not_null NOT NULL,
    plan_version integer CONSTRAINT kpi_value_plan_version_not_null NOT NULL,
    known_at timestamp with time zone CONSTRAINT kpi_value_known_at_not_null NOT NULL,
    batch_no bigint CONSTRAINT kpi_value_batch_no_not_null NOT NULL
);
CREATE TABLE public.ledger (
    point_no integer NOT NULL,
    at timestamp with time zone NOT NULL,
    previous_at timestamp with time zone NOT NULL,
    class smallint NOT NULL,
    increment bigint NOT NULL,
    correction bigint NOT NULL,
    batch_no bigint NOT NULL
);
COMMENT ON COLUMN public.ledger.at IS 'of the reading after the step; of a glitch its own';
COMMENT ON COLUMN public.ledger.previous_at IS 'of the reading kept before';
CREATE TABLE public.ledger_history (
    superseded_batch bigint NOT NULL,
    point_no integer CONSTRAINT ledger_point_no_not_null NOT NULL,
    at timestamp with time zone CONSTRAINT ledger_at_not_null NOT NULL,
    previous_at timestamp with time zone CONSTRAINT ledger_previous_at_not_null NOT NULL,
    class smallint CONSTRAINT ledger_class_not_null NOT NULL,
    increment bigint CONSTRAINT ledger_increment_not_null NOT NULL,
    correction bigint CONSTRAINT ledger_correction_not_null NOT NULL,
    batch_no bigint CONSTRAINT ledger_batch_no_not_null NOT NULL
);
CREATE SEQUENCE public.notifier_no
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
    CYCLE;
CREATE TABLE public.period_kpi (
    seal_no bigint NOT NULL,
    kpi_no integer NOT NULL,
    a double precision,
    b double precision,
    covered_us bigint,
    valid_us bigint,
    substituted_us bigint,
    quality smallint,
    reasons integer,
    cause smallint NOT NULL,
    known_at timestamp with time zone NOT NULL,
    batch_no bigint NOT NULL
);
CREATE TABLE public.period_point (
    seal_no bigint NOT NULL,
    point_no integer NOT NULL,
    amount double precision,
    amount_count bigint,
    mean double precision,
    min double precision,
    max double precision,
    covered_us bigint,
    valid_us bigint,
    substituted_us bigint,
    quality smallint,
    reasons integer,
    cause smallint NOT NULL,
    known_at timestamp with time zone NOT NULL,
    batch_no bigint NOT NULL
);
CREATE TABLE public.period_regime (
    seal_no bigint NOT NULL,
    source_no integer NOT NULL,
    rule text,
    mass_kg double precision,
    hours bigint,
    without_mass bigint,
    substituted bigint,
    provisional bigint,
    quality smallint,
    cause smallint NOT NULL,
    known_at timestamp with time zone NOT NULL,
    batch_no bigint NOT NULL
);
CREATE TABLE public.period_seal (
    seal_no bigint NOT NULL,
    site_no integer NOT NULL,
    kind text NOT NULL,
    from_at timestamp with time zone NOT NULL,
    to_at timestamp with time zone NOT NULL,
    edition integer DEFAULT 1 NOT NULL,
    sealed_by text NOT NULL,
    sealed_at timestamp with time zone NOT NULL,
    inbox_no bigint NOT NULL,
    known_at timestamp with time zone NOT NULL,
    batch_no bigint NOT NULL,
    reason text,
    CONSTRAINT period_seal_check CHECK ((from_at < to_at))
);
ALTER TABLE public.period_seal ALTER COLUMN seal_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.period_seal_seal_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.period_source (
    seal_no bigint NOT NULL,
    source_no integer NOT NULL,
    mass_kg double precision,
    covered_us bigint,
    valid_us bigint,
    substituted_us bigint,
    quality smallint,
    reasons integer,
    cause smallint NOT NULL,
    known_at timestamp with time zone NOT NULL,
    batch_no bigint NOT NULL
);
CREATE TABLE public.plan_in_force (
    point_no integer NOT NULL,
    version integer NOT NULL,
    from_at timestamp with time zone NOT NULL
);
CREATE TABLE public.plan_version (
    site_no integer NOT NULL,
    version integer NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL,
    digest text NOT NULL,
    body jsonb NOT NULL
);
CREATE TABLE public.point (
    point_no integer NOT NULL,
    site_no integer NOT NULL,
    id text NOT NULL
);
ALTER TABLE public.point ALTER COLUMN point_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.point_point_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.point_state (
    point_no integer NOT NULL,
    closed_until timestamp with time zone NOT NULL,
    batch_no bigint NOT NULL
)
WITH (fillfactor='50');
CREATE TABLE public.reading (
    point_no integer NOT NULL,
    measured_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    value double precision NOT NULL,
    quality smallint NOT NULL,
    reasons integer NOT NULL,
    seq bigint NOT NULL,
    batch_no bigint NOT NULL
)
PARTITION BY RANGE (measured_at);
CREATE TABLE public.reading_2026_11 (
    point_no integer CONSTRAINT reading_point_no_not_null NOT NULL,
    measured_at timestamp with time zone CONSTRAINT reading_measured_at_not_null NOT NULL,
    received_at timestamp with time zone CONSTRAINT reading_received_at_not_null NOT NULL,
    value double precision CONSTRAINT reading_value_not_null NOT NULL,
    quality smallint CONSTRAINT reading_quality_not_null NOT NULL,
    reasons integer CONSTRAINT reading_reasons_not_null NOT NULL,
    seq bigint CONSTRAINT reading_seq_not_null NOT NULL,
    batch_no bigint CONSTRAINT reading_batch_no_not_null NOT NULL
);
CREATE TABLE public.regime_hour (
    source_no integer NOT NULL,
    start_at timestamp with time zone NOT NULL,
    mass_kg double precision,
    rate double precision,
    operating_us bigint NOT NULL,
    components jsonb NOT NULL,
    provisional boolean NOT NULL,
    quality smallint NOT NULL,
    reasons integer NOT NULL,
    revision integer NOT NULL,
    cause smallint NOT NULL,
    plan_version integer NOT NULL,
    known_at timestamp with time zone NOT NULL,
    batch_no bigint NOT NULL,
    begun_batch bigint NOT NULL
);
CREATE TABLE public.regime_hour_history (
    superseded_batch bigint NOT NULL,
    source_no integer CONSTRAINT regime_hour_source_no_not_null NOT NULL,
    start_at timestamp with time zone CONSTRAINT regime_hour_start_at_not_null NOT NULL,
    mass_kg double precision,
    rate double precision,
    operating_us bigint CONSTRAINT regime_hour_operating_us_not_null NOT NULL,
    components jsonb CONSTRAINT regime_hour_components_not_null NOT NULL,
    provisional boolean CONSTRAINT regime_hour_provisional_not_null NOT NULL,
    quality smallint CONSTRAINT regime_hour_quality_not_null NOT NULL,
    reasons integer CONSTRAINT regime_hour_reasons_not_null NOT NULL,
    revision integer CONSTRAINT regime_hour_revision_not_null NOT NULL,
    cause smallint CONSTRAINT regime_hour_cause_not_null NOT NULL,
    plan_version integer CONSTRAINT regime_hour_plan_version_not_null NOT NULL,
    known_at timestamp with time zone CONSTRAINT regime_hour_known_at_not_null NOT NULL,
    batch_no bigint CONSTRAINT regime_hour_batch_no_not_null NOT NULL,
    begun_batch bigint NOT NULL
);
CREATE TABLE public.rejected (
    rejected_no bigint NOT NULL,
    site_no integer NOT NULL,
    topic text NOT NULL,
    payload bytea NOT NULL,
    element integer,
    reason text NOT NULL,
    detail text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    batch_no bigint NOT NULL,
    replayed_at timestamp with time zone
);
CREATE TABLE public.rejected_count (
    site_no integer NOT NULL,
    reason text NOT NULL,
    day date NOT NULL,
    total bigint NOT NULL
);
ALTER TABLE public.rejected ALTER COLUMN rejected_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.rejected_rejected_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.schema_migration (
    step text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.site (
    site_no integer NOT NULL,
    id text NOT NULL,
    epoch bigint DEFAULT 0 NOT NULL,
    holder text,
    subscribed text[] DEFAULT '{}'::text[] NOT NULL
);
ALTER TABLE public.site ALTER COLUMN site_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.site_site_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.source (
    source_no integer NOT NULL,
    site_no integer NOT NULL,
    id text NOT NULL
);
ALTER TABLE public.source ALTER COLUMN source_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.source_source_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.webhook (
    webhook_no integer NOT NULL,
    site_no integer NOT NULL,
    id text NOT NULL,
    sequence bigint DEFAULT 0 NOT NULL,
    disabled_at timestamp with time zone,
    delivered bigint DEFAULT 0 NOT NULL,
    failed bigint DEFAULT 0 NOT NULL,
    dead bigint DEFAULT 0 NOT NULL
);
CREATE TABLE public.webhook_act (
    webhook_no integer NOT NULL,
    idempotency_key text NOT NULL,
    act text NOT NULL,
    sequence bigint,
    deliveries integer NOT NULL,
    author text NOT NULL,
    asked_at timestamp with time zone NOT NULL
);
ALTER TABLE public.webhook ALTER COLUMN webhook_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.webhook_webhook_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
ALTER TABLE ONLY public.reading ATTACH PARTITION public.reading_2026_11 FOR VALUES FROM ('2026-11-01 00:00:00+00') TO ('2026-12-01 00:00:00+00');
INSERT INTO public.emission VALUES
	(1, '2026-11-20 08:00:00+00', 0.8696, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(1, '2026-11-20 08:01:00+00', 0.8072000000000001, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(1, '2026-11-20 08:02:00+00', 0.7440000000000001, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(1, '2026-11-20 08:03:00+00', 0.8484, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(1, '2026-11-20 08:04:00+00', 0.7852000000000001, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1);
INSERT INTO public.frontier_history VALUES
	(5, '2026-11-20 08:05:00+00', 1);
INSERT INTO public.ingest_commit VALUES
	(1, 1, 1, '2026-11-20 08:00:00+00', 1, '2026-11-20 08:05:25+00', 40),
	(1, 2, 1, '2026-11-20 09:00:00+00', 1, '2026-11-20 08:05:25+00', 0),
	(1, 3, 1, '2026-11-20 09:00:00.000001+00', 1, '2026-11-20 08:05:25+00', 1);
INSERT INTO public."interval" VALUES
	(3, '2026-11-20 08:02:00+00', 1.8997524752475248, NULL, 113.98514851485149, 101.48514851485149, 131.1881188118812, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(3, '2026-11-20 08:03:00+00', 2.1596534653465347, NULL, 129.57920792079207, 112.37623762376238, 142.07920792079207, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(3, '2026-11-20 08:04:00+00', 2.002887788778878, NULL, 120.17326732673268, 102.97029702970298, 132.67326732673268, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(4, '2026-11-20 08:00:00+00', 0.16305555555555556, NULL, 10, 10, 10, 58700000, 58700000, 0, 0, 8192, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(4, '2026-11-20 08:01:00+00', 0.10725, NULL, 12.87, 10, 13, 30000000, 30000000, 0, 1, 8192, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(4, '2026-11-20 08:02:00+00', 0.11302777777777778, NULL, 13, 13, 13, 31300000, 31300000, 0, 1, 8192, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(4, '2026-11-20 08:03:00+00', 0.2608888888888889, NULL, 16, 16, 16, 58700000, 58700000, 0, 0, 8192, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(4, '2026-11-20 08:04:00+00', 0.10144444444444445, NULL, 12.173333333333334, 12, 16, 30000000, 30000000, 0, 1, 8192, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(6, '2026-11-20 08:01:00+00', 1.0202800009167583, NULL, 127.97937293729373, 118.27062706270627, 137.6881188118812, 60000000, 28700000, 0, 1, 8192, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(6, '2026-11-20 08:02:00+00', 1.0236386138613862, NULL, 122.83663366336634, 107.98514851485149, 137.6881188118812, 60000000, 30000000, 0, 1, 8192, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(6, '2026-11-20 08:03:00+00', 2.2459622066373304, NULL, 137.74214555186353, 120.37623762376238, 150.07920792079207, 60000000, 58700000, 0, 0, 8192, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(6, '2026-11-20 08:04:00+00', 0.9820041254125413, NULL, 123.17821782178218, 108.97029702970298, 137.3861386138614, 60000000, 28700000, 0, 1, 8192, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(1, '2026-11-20 08:00:00+00', 2.174, 2174, NULL, NULL, NULL, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(1, '2026-11-20 08:01:00+00', 2.0180000000000002, 2018, NULL, NULL, NULL, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(1, '2026-11-20 08:02:00+00', 1.86, 1860, NULL, NULL, NULL, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(1, '2026-11-20 08:03:00+00', 2.121, 2121, NULL, NULL, NULL, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(1, '2026-11-20 08:04:00+00', 1.963, 1963, NULL, NULL, NULL, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(2, '2026-11-20 08:00:00+00', 0.003, 3, NULL, NULL, NULL, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(2, '2026-11-20 08:01:00+00', 0.007, 7, NULL, NULL, NULL, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(2, '2026-11-20 08:02:00+00', 0.011, 11, NULL, NULL, NULL, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(2, '2026-11-20 08:03:00+00', 0.015, 15, NULL, NULL, NULL, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(2, '2026-11-20 08:04:00+00', 0.019, 19, NULL, NULL, NULL, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(5, '2026-11-20 07:59:00+00', 0.125, 125, NULL, NULL, NULL, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(3, '2026-11-20 08:00:00+00', 2.004950495049505, NULL, 120.29702970297029, 100, 140.59405940594058, 60000000, 60000000, 0, 0, 0, 2, 1, 1, '2026-11-20 09:00:00.000001+00', 3),
	(3, '2026-11-20 08:01:00+00', 2.0565181518151814, NULL, 123.39108910891089, 110.89108910891089, 140.59405940594058, 60000000, 60000000, 0, 0, 0, 2, 1, 1, '2026-11-20 09:00:00.000001+00', 3),
	(6, '2026-11-20 08:00:00+00', 2.0502083562522917, NULL, 125.73679867986799, 105.87953795379538, 145.59405940594058, 60000000, 58700000, 0, 0, 8192, 2, 1, 1, '2026-11-20 09:00:00.000001+00', 3);
INSERT INTO public.interval_day VALUES
	(2, '2026-11-19 23:00:00+00', 0.05499999999999999, 55, NULL, NULL, NULL, 300000000, 300000000, 0, 0, 0, 5, '2026-11-20 08:00:00+00', 1),
	(4, '2026-11-19 23:00:00+00', 0.7456666666666667, NULL, 12.86248203162434, 10, 16, 208700000, 208700000, 0, 1, 8192, 5, '2026-11-20 08:00:00+00', 1),
	(5, '2026-11-19 23:00:00+00', 0.125, 125, NULL, NULL, NULL, 60000000, 60000000, 0, 0, 0, 1, '2026-11-20 08:00:00+00', 1),
	(1, '2026-11-19 23:00:00+00', 10.136, 10136, NULL, NULL, NULL, 300000000, 300000000, 0, 0, 0, 5, '2026-11-20 08:00:00+00', 1),
	(6, '2026-11-19 23:00:00+00', 7.322093303080307, NULL, 128.70867134320855, 105.87953795379538, 150.07920792079207, 300000000, 204800000, 0, 1, 8192, 5, '2026-11-20 09:00:00.000001+00', 3),
	(3, '2026-11-19 23:00:00+00', 10.123762376237623, NULL, 121.48514851485147, 100, 142.07920792079207, 300000000, 300000000, 0, 0, 0, 5, '2026-11-20 09:00:00.000001+00', 3);
INSERT INTO public.interval_history VALUES
	(3, 3, '2026-11-20 08:00:00+00', 1.9007838283828382, NULL, 114.04702970297029, 100, 120.29702970297029, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(3, 3, '2026-11-20 08:01:00+00', 1.9523514851485149, NULL, 117.14108910891089, 110.89108910891089, 131.1881188118812, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(3, 6, '2026-11-20 08:00:00+00', 0.9214954849651632, NULL, 115.58828382838283, 105.87953795379538, 125.29702970297029, 60000000, 28700000, 0, 1, 8192, 1, 0, 1, '2026-11-20 08:00:00+00', 1);
INSERT INTO public.interval_hour VALUES
	(4, '2026-11-20 08:00:00+00', 0.7456666666666667, NULL, 12.86248203162434, 10, 16, 208700000, 208700000, 0, 1, 8192, 5, '2026-11-20 08:00:00+00', 1, 2684400000, 208700000),
	(2, '2026-11-20 08:00:00+00', 0.05499999999999999, 55, NULL, NULL, NULL, 300000000, 300000000, 0, 0, 0, 5, '2026-11-20 08:00:00+00', 1, NULL, NULL),
	(1, '2026-11-20 08:00:00+00', 10.136, 10136, NULL, NULL, NULL, 300000000, 300000000, 0, 0, 0, 5, '2026-11-20 08:00:00+00', 1, NULL, NULL),
	(5, '2026-11-20 07:00:00+00', 0.125, 125, NULL, NULL, NULL, 60000000, 60000000, 0, 0, 0, 1, '2026-11-20 08:00:00+00', 1, NULL, NULL),
	(3, '2026-11-20 08:00:00+00', 10.123762376237623, NULL, 121.48514851485147, 100, 142.07920792079207, 300000000, 300000000, 0, 0, 0, 5, '2026-11-20 09:00:00.000001+00', 3, 36445544554.455444, 300000000),
	(6, '2026-11-20 08:00:00+00', 7.322093303080307, NULL, 128.70867134320855, 105.87953795379538, 150.07920792079207, 300000000, 204800000, 0, 1, 8192, 5, '2026-11-20 09:00:00.000001+00', 3, 26359535891.08911, 204800000);
INSERT INTO public.kpi OVERRIDING SYSTEM VALUE VALUES
	(1, 1, 'mill/line/intensity'),
	(2, 1, 'mill/line/co2'),
	(3, 1, 'mill/line/load');
INSERT INTO public.kpi_latest VALUES
	(1, 300000000, '2026-11-20 08:00:00+00', '2026-11-20 08:05:30+00', 11.164, 0.066, 169.15151515151513, NULL, 330000000, 330000000, 0, 0, 0, 1, '2026-11-20 08:00:00+00', 1),
	(1, 3600000000, '2026-11-20 07:05:00+00', '2026-11-20 08:05:30+00', 11.164, 0.066, 169.15151515151513, NULL, 330000000, 330000000, 0, 0, 0, 1, '2026-11-20 08:00:00+00', 1),
	(2, 300000000, '2026-11-20 08:00:00+00', '2026-11-20 08:05:30+00', 0.0044656, 0.09166666666666666, 0.04871563636363637, NULL, 330000000, 330000000, 0, 0, 0, 1, '2026-11-20 08:00:00+00', 1),
	(3, 300000000, '2026-11-20 08:00:00+00', '2026-11-20 08:05:25+00', 6.193380431793179, 0.08333333333333333, 74.32056518151816, NULL, 300000000, 174800000, 0, 1, 8192, 1, '2026-11-20 08:00:00+00', 1);
INSERT INTO public.kpi_value VALUES
	(1, '2026-11-20 08:00:00+00', 2.174, 0.003, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(1, '2026-11-20 08:01:00+00', 2.0180000000000002, 0.007, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(1, '2026-11-20 08:02:00+00', 1.86, 0.011, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(1, '2026-11-20 08:03:00+00', 2.121, 0.015, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(1, '2026-11-20 08:04:00+00', 1.963, 0.019, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(2, '2026-11-20 08:00:00+00', 0.0008696, 0.016666666666666666, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(2, '2026-11-20 08:01:00+00', 0.0008072000000000001, 0.016666666666666666, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(2, '2026-11-20 08:02:00+00', 0.0007440000000000001, 0.016666666666666666, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(2, '2026-11-20 08:03:00+00', 0.0008484, 0.016666666666666666, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(2, '2026-11-20 08:04:00+00', 0.0007852000000000001, 0.016666666666666666, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(3, '2026-11-20 08:01:00+00', 1.0202800009167583, 0.016666666666666666, 60000000, 28700000, 0, 1, 8192, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(3, '2026-11-20 08:02:00+00', 1.0236386138613862, 0.016666666666666666, 60000000, 30000000, 0, 1, 8192, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(3, '2026-11-20 08:03:00+00', 2.2459622066373304, 0.016666666666666666, 60000000, 58700000, 0, 0, 8192, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(3, '2026-11-20 08:04:00+00', 0.9820041254125413, 0.016666666666666666, 60000000, 28700000, 0, 1, 8192, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(3, '2026-11-20 08:00:00+00', 2.0502083562522917, 0.016666666666666666, 60000000, 58700000, 0, 0, 8192, 2, 1, 1, '2026-11-20 09:00:00.000001+00', 3);
INSERT INTO public.kpi_value_history VALUES
	(3, 3, '2026-11-20 08:00:00+00', 0.9214954849651632, 0.016666666666666666, 60000000, 28700000, 0, 1, 8192, 1, 0, 1, '2026-11-20 08:00:00+00', 1);
INSERT INTO public.plan_in_force VALUES
	(1, 1, '-infinity'),
	(2, 1, '-infinity'),
	(3, 1, '-infinity'),
	(4, 1, '-infinity'),
	(5, 1, '-infinity'),
	(6, 1, '-infinity');
INSERT INTO public.plan_version VALUES
	(1, 1, '2026-11-20 08:00:00+00', '2026-12-01 13:15:40.576407+00', '1c5cd05c8c1382ff0a5bc2e09d2971d49c1e594d7f3de367989d70aeae162b54', '{"gwp": "AR5", "kpis": [{"id": "line/intensity", "kind": "ratio", "name": null, "unit": "kWh/t", "align": null, "basis": [], "block": null, "windows": ["5min", "1h"], "formerly": [], "numerator": [{"point": "line/energy", "source": null, "weight": 1.0, "factors": []}], "denominator": [{"point": "line/mass", "source": null, "weight": 1.0, "factors": []}], "load_window": null, "stale_after": null}, {"id": "line/co2", "kind": "rate", "name": null, "unit": "t/h", "align": null, "basis": [], "block": null, "windows": ["5min"], "formerly": [], "numerator": [{"point": null, "source": "line/electricity", "weight": 1.0, "factors": []}], "denominator": [], "load_window": null, "stale_after": null}, {"id": "line/load", "kind": "rate", "name": null, "unit": "kW", "align": null, "basis": [], "block": null, "windows": ["5min"], "formerly": [], "numerator": [{"point": "line/doubled", "source": null, "weight": 1.0, "factors": []}], "denominator": [], "load_window": null, "stale_after": null}], "name": "A mill", "site": "mill", "clock": "live", "units": [{"id": "line", "kind": "line", "name": "Line", "units": []}], "alerts": [], "points": [{"id": "line/energy", "fill": null, "kind": "counter", "name": null, "unit": "kWh", "basis": [], "stamp": null, "until": null, "limits": null, "period": "5s", "sloped": null, "states": {}, "topics": [], "carrier": "electricity", "compare": null, "fill_by": null, "max_gap": "2min", "modulus": 1000000000.0, "on_fall": null, "product": null, "analysis": null, "computed": null, "formerly": [], "max_rate": 10000.0, "validity": null, "resolution": 0.001, "stuck_after": null, "fill_at_most": null, "stuck_except": null, "min_valid_share": 0.75}, {"id": "line/mass", "fill": null, "kind": "counter", "name": null, "unit": "t", "basis": [], "stamp": null, "until": null, "limits": null, "period": "5s", "sloped": null, "states": {}, "topics": [], "carrier": null, "compare": null, "fill_by": null, "max_gap": "2min", "modulus": null, "on_fall": null, "product": "flour", "analysis": null, "computed": null, "formerly": [], "max_rate": null, "validity": null, "resolution": 0.001, "stuck_after": null, "fill_at_most": null, "stuck_except": null, "min_valid_share": 0.75}, {"id": "line/power", "fill": null, "kind": "gauge", "name": null, "unit": "kW", "basis": [], "stamp": null, "until": null, "limits": [0.0, 1000.0], "period": "5s", "sloped": true, "states": {}, "topics": [], "carrier": "electricity", "compare": null, "fill_by": null, "max_gap": "1min", "modulus": null, "on_fall": null, "product": null, "analysis": null, "computed": null, "formerly": [], "max_rate": null, "validity": null, "resolution": null, "stuck_after": null, "fill_at_most": null, "stuck_except": null, "min_valid_share": 0.75}, {"id": "line/setpoint", "fill": null, "kind": "gauge", "name": null, "unit": "kW", "basis": [], "stamp": null, "until": null, "limits": null, "period": "5s", "sloped": false, "states": {}, "topics": [], "carrier": null, "compare": null, "fill_by": null, "max_gap": "1min", "modulus": null, "on_fall": null, "product": null, "analysis": null, "computed": null, "formerly": [], "max_rate": null, "validity": null, "resolution": null, "stuck_after": null, "fill_at_most": null, "stuck_except": null, "min_valid_share": 0.75}, {"id": "line/batch", "fill": null, "kind": "delta", "name": null, "unit": "t", "basis": [], "stamp": null, "until": null, "limits": null, "period": "1min", "sloped": null, "states": {}, "topics": [], "carrier": null, "compare": null, "fill_by": null, "max_gap": null, "modulus": null, "on_fall": null, "product": null, "analysis": null, "computed": null, "formerly": [], "max_rate": null, "validity": null, "resolution": 0.001, "stuck_after": null, "fill_at_most": null, "stuck_except": null, "min_valid_share": 0.75}, {"id": "line/doubled", "fill": null, "kind": "gauge", "name": null, "unit": "kW", "basis": [], "stamp": null, "until": null, "limits": null, "period": null, "sloped": null, "states": {}, "topics": [], "carrier": null, "compare": null, "fill_by": null, "max_gap": "1min", "modulus": null, "on_fall": null, "product": null, "analysis": null, "computed": {"gate": null, "inputs": {"a": "line/power", "b": "line/setpoint"}, "method": "linear", "constants": {"a": 1.0, "b": 0.5}, "uncertainty_classes": {}}, "formerly": [], "max_rate": null, "validity": null, "resolution": null, "stuck_after": null, "fill_at_most": null, "stuck_except": null, "min_valid_share": 0.75}], "factors": [{"id": "grid", "from": null, "kind": null, "name": null, "unit": "t/MWh", "basis": [], "trust": "unconfirmed", "value": 0.4, "region": null, "series": [], "source": "test", "edition": null, "data_year": null, "published": null, "uncertainty": null, "uncertainty_class": null}], "sources": [{"id": "line/electricity", "gas": "co2", "name": null, "unit": null, "basis": null, "route": "calculated", "scope": 2, "regime": null, "supply": null, "account": null, "factors": ["grid"], "activity": "line/energy", "category": "purchased", "formerly": [], "carbonates": false, "factor_point": null}], "targets": [], "tariffs": [], "windows": ["5min", "1h", "8h", "1d"], "analyses": [], "calendar": {"shifts": [], "holidays": [], "workdays": [], "day_starts": "00:00", "year_starts": "01-01"}, "carriers": [{"id": "electricity", "name": "Electricity"}], "currency": null, "interval": "1min", "lateness": "5s", "products": [{"id": "flour", "name": "Flour"}], "webhooks": [], "allowance": [], "retention": {"commits_days": null, "readings_days": null, "rejected_days": 30}, "time_zone": "Europe/Berlin", "activities": [], "benchmarks": [], "boundaries": [], "instruments": [], "carbon_price": null, "correlations": [], "topic_prefix": "plant", "demand_charges": [], "reconciliations": [], "contracted_demand": null}');
INSERT INTO public.point OVERRIDING SYSTEM VALUE VALUES
	(1, 1, 'mill/line/energy'),
	(2, 1, 'mill/line/mass'),
	(3, 1, 'mill/line/power'),
	(4, 1, 'mill/line/setpoint'),
	(5, 1, 'mill/line/batch'),
	(6, 1, 'mill/line/doubled');
INSERT INTO public.point_state VALUES
	(1, '2026-11-20 08:05:00+00', 1),
	(2, '2026-11-20 08:05:00+00', 1),
	(3, '2026-11-20 08:05:00+00', 1),
	(4, '2026-11-20 08:05:00+00', 1),
	(5, '2026-11-20 08:05:00+00', 1),
	(6, '2026-11-20 08:05:00+00', 1);
INSERT INTO public.reading_2026_11 VALUES
	(1, '2026-11-20 08:00:00+00', '2026-11-20 08:00:00.1+00', 0.833, 0, 0, -1, 1),
	(1, '2026-11-20 08:00:30+00', '2026-11-20 08:00:30.1+00', 1.836, 0, 0, -1, 1),
	(1, '2026-11-20 08:01:00+00', '2026-11-20 08:01:00.1+00', 3.007, 0, 0, -1, 1),
	(1, '2026-11-20 08:01:30+00', '2026-11-20 08:01:30.1+00', 3.932, 0, 0, -1, 1),
	(1, '2026-11-20 08:02:00+00', '2026-11-20 08:02:00.1+00', 5.025, 0, 0, -1, 1),
	(1, '2026-11-20 08:02:30+00', '2026-11-20 08:02:30.1+00', 5.87, 0, 0, -1, 1),
	(1, '2026-11-20 08:03:00+00', '2026-11-20 08:03:00.1+00', 6.885, 0, 0, -1, 1),
	(1, '2026-11-20 08:03:30+00', '2026-11-20 08:03:30.1+00', 8.069, 0, 0, -1, 1),
	(1, '2026-11-20 08:04:00+00', '2026-11-20 08:04:00.1+00', 9.006, 0, 0, -1, 1),
	(1, '2026-11-20 08:04:30+00', '2026-11-20 08:04:30.1+00', 10.111, 0, 0, -1, 1),
	(1, '2026-11-20 08:05:00+00', '2026-11-20 08:05:00.1+00', 10.969, 0, 0, -1, 1),
	(1, '2026-11-20 08:05:30+00', '2026-11-20 08:05:30.1+00', 11.997, 0, 0, -1, 1),
	(2, '2026-11-20 08:00:00+00', '2026-11-20 08:00:00.1+00', 0, 0, 0, -1, 1),
	(2, '2026-11-20 08:00:30+00', '2026-11-20 08:00:30.1+00', 0.001, 0, 0, -1, 1),
	(2, '2026-11-20 08:01:00+00', '2026-11-20 08:01:00.1+00', 0.003, 0, 0, -1, 1),
	(2, '2026-11-20 08:01:30+00', '2026-11-20 08:01:30.1+00', 0.006, 0, 0, -1, 1),
	(2, '2026-11-20 08:02:00+00', '2026-11-20 08:02:00.1+00', 0.01, 0, 0, -1, 1),
	(2, '2026-11-20 08:02:30+00', '2026-11-20 08:02:30.1+00', 0.015, 0, 0, -1, 1),
	(2, '2026-11-20 08:03:00+00', '2026-11-20 08:03:00.1+00', 0.021, 0, 0, -1, 1),
	(2, '2026-11-20 08:03:30+00', '2026-11-20 08:03:30.1+00', 0.028, 0, 0, -1, 1),
	(2, '2026-11-20 08:04:00+00', '2026-11-20 08:04:00.1+00', 0.036, 0, 0, -1, 1),
	(2, '2026-11-20 08:04:30+00', '2026-11-20 08:04:30.1+00', 0.045, 0, 0, -1, 1),
	(2, '2026-11-20 08:05:00+00', '2026-11-20 08:05:00.1+00', 0.055, 0, 0, -1, 1),
	(2, '2026-11-20 08:05:30+00', '2026-11-20 08:05:30.1+00', 0.066, 0, 0, -1, 1),
	(3, '2026-11-20 08:00:00+00', '2026-11-20 08:00:00.1+00', 100, 0, 0, -1, 1),
	(3, '2026-11-20 08:00:30+00', '2026-11-20 08:00:30.1+00', 120.29702970297029, 0, 0, -1, 1),
	(3, '2026-11-20 08:01:30+00', '2026-11-20 08:01:30.1+00', 110.89108910891089, 0, 0, -1, 1),
	(3, '2026-11-20 08:02:00+00', '2026-11-20 08:02:00.1+00', 131.1881188118812, 0, 0, -1, 1),
	(3, '2026-11-20 08:02:30+00', '2026-11-20 08:02:30.1+00', 101.48514851485149, 0, 0, -1, 1),
	(3, '2026-11-20 08:03:00+00', '2026-11-20 08:03:00.1+00', 121.78217821782178, 0, 0, -1, 1),
	(3, '2026-11-20 08:03:30+00', '2026-11-20 08:03:30.1+00', 142.07920792079207, 0, 0, -1, 1),
	(3, '2026-11-20 08:04:00+00', '2026-11-20 08:04:00.1+00', 112.37623762376238, 0, 0, -1, 1),
	(3, '2026-11-20 08:04:30+00', '2026-11-20 08:04:30.1+00', 132.67326732673268, 0, 0, -1, 1),
	(3, '2026-11-20 08:05:00+00', '2026-11-20 08:05:00.1+00', 102.97029702970298, 0, 0, -1, 1),
	(3, '2026-11-20 08:05:30+00', '2026-11-20 08:05:30.1+00', 123.26732673267327, 0, 0, -1, 1),
	(4, '2026-11-20 08:00:01.3+00', '2026-11-20 08:00:01.4+00', 10, 0, 0, -1, 1),
	(4, '2026-11-20 08:01:31.3+00', '2026-11-20 08:01:31.4+00', 13, 0, 0, -1, 1),
	(4, '2026-11-20 08:03:01.3+00', '2026-11-20 08:03:01.4+00', 16, 0, 0, -1, 1),
	(4, '2026-11-20 08:04:31.3+00', '2026-11-20 08:04:31.4+00', 12, 0, 0, -1, 1),
	(5, '2026-11-20 08:00:00+00', '2026-11-20 08:00:00.1+00', 0.125, 0, 0, -1, 1),
	(3, '2026-11-20 08:01:00+00', '2026-11-20 08:01:00.1+00', 140.59405940594058, 0, 256, -1, 3);
INSERT INTO public.rejected OVERRIDING SYSTEM VALUE VALUES
	(1, 1, 'plant/mill/line/unknown', '\x7b227473223a20313739353136313630303030302e302c202276616c7565223a20312e307d', NULL, 'unknown_point', 'topic ''plant/mill/line/unknown'' names no point of the plan; a declared one was expected.', '2026-11-20 08:00:00.1+00', 2, NULL);
INSERT INTO public.rejected_count VALUES
	(1, 'unknown_point', '2026-12-01', 1);
INSERT INTO public.schema_migration VALUES
	('0001_facts', '2026-12-01 13:15:40.187775+00'),
	('0002_reading', '2026-12-01 13:15:40.286195+00'),
	('0003_hour_sums', '2026-12-01 13:15:40.288809+00'),
	('0004_ledger', '2026-12-01 13:15:40.290928+00'),
	('0005_history', '2026-12-01 13:15:40.293798+00'),
	('0006_declaration', '2026-12-01 13:15:40.307575+00'),
	('0008_seal', '2026-12-01 13:15:40.320618+00'),
	('0009_in_force', '2026-12-01 13:15:40.343048+00'),
	('0010_gap_fill', '2026-12-01 13:15:40.349486+00'),
	('0011_comparison', '2026-12-01 13:15:40.355127+00'),
	('0012_ledger_and_editions', '2026-12-01 13:15:40.36072+00'),
	('0015_document', '2026-12-01 13:15:40.365766+00'),
	('0017_regime_hours', '2026-12-01 13:15:40.388099+00'),
	('0018_event', '2026-12-01 13:15:40.419096+00'),
	('0019_alert', '2026-12-01 13:15:40.430205+00'),
	('0020_webhooks', '2026-12-01 13:15:40.45997+00'),
	('0023_hours_reported', '2026-12-01 13:15:40.495564+00');
INSERT INTO public.site OVERRIDING SYSTEM VALUE VALUES
	(1, 'mill', 1, 'test', '{}');
INSERT INTO public.source OVERRIDING SYSTEM VALUE VALUES
	(1, 1, 'mill/line/electricity');
SELECT pg_catalog.setval('public.alert_act_act_no_seq', 1, false);
SELECT pg_catalog.setval('public.alert_episode_episode_no_seq', 1, false);
SELECT pg_catalog.setval('public.alert_silence_silence_no_seq', 1, false);
SELECT pg_catalog.setval('public.analyser_test_test_no_seq', 1, false);
SELECT pg_catalog.setval('public.api_key_key_no_seq', 1, false);
SELECT pg_catalog.setval('public.declaration_declaration_no_seq', 1, false);
SELECT pg_catalog.setval('public.delivery_delivery_no_seq', 1, false);
SELECT pg_catalog.setval('public.document_document_no_seq', 1, false);
SELECT pg_catalog.setval('public.event_event_no_seq', 1, false);
SELECT pg_catalog.setval('public.inbox_inbox_no_seq', 1, false);
SELECT pg_catalog.setval('public.kpi_kpi_no_seq', 3, true);
SELECT pg_catalog.setval('public.notifier_no', 1, false);
SELECT pg_catalog.setval('public.period_seal_seal_no_seq', 1, false);
SELECT pg_catalog.setval('public.point_point_no_seq', 6, true);
SELECT pg_catalog.setval('public.rejected_rejected_no_seq', 1, true);
SELECT pg_catalog.setval('public.site_site_no_seq', 1, true);
SELECT pg_catalog.setval('public.source_source_no_seq', 1, true);
SELECT pg_catalog.setval('public.webhook_webhook_no_seq', 1, false);
ALTER TABLE ONLY public.alert_act
    ADD CONSTRAINT alert_act_inbox_no_key UNIQUE (inbox_no);
ALTER TABLE ONLY public.alert_act
    ADD CONSTRAINT alert_act_pkey PRIMARY KEY (act_no);
ALTER TABLE ONLY public.alert_episode
    ADD CONSTRAINT alert_episode_episode_no_key UNIQUE (episode_no);
ALTER TABLE ONLY public.alert_episode
    ADD CONSTRAINT alert_episode_pkey PRIMARY KEY (episode);
ALTER TABLE ONLY public.alert_silence
    ADD CONSTRAINT alert_silence_inbox_no_key UNIQUE (inbox_no);
ALTER TABLE ONLY public.alert_silence
    ADD CONSTRAINT alert_silence_pkey PRIMARY KEY (silence_no);
ALTER TABLE ONLY public.alert_state
    ADD CONSTRAINT alert_state_pkey PRIMARY KEY (site_no, rule);
ALTER TABLE ONLY public.analyser_test
    ADD CONSTRAINT analyser_test_pkey PRIMARY KEY (test_no);
ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_digest_key UNIQUE (digest);
ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_name_key UNIQUE (name);
ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_pkey PRIMARY KEY (key_no);
ALTER TABLE ONLY public.comparison
    ADD CONSTRAINT comparison_pkey PRIMARY KEY (point_no, start_at);
ALTER TABLE ONLY public.declaration
    ADD CONSTRAINT declaration_inbox_no_key UNIQUE (inbox_no);
ALTER TABLE ONLY public.declaration
    ADD CONSTRAINT declaration_pkey PRIMARY KEY (declaration_no);
ALTER TABLE ONLY public.declaration
    ADD CONSTRAINT declaration_site_no_idempotency_key_key UNIQUE (site_no, idempotency_key);
ALTER TABLE ONLY public.delivery_attempt
    ADD CONSTRAINT delivery_attempt_pkey PRIMARY KEY (delivery_no, attempt);
ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT delivery_pkey PRIMARY KEY (delivery_no);
ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT delivery_webhook_no_event_id_key UNIQUE (webhook_no, event_id);
ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT delivery_webhook_no_sequence_key UNIQUE (webhook_no, sequence);
ALTER TABLE ONLY public.document
    ADD CONSTRAINT document_inbox_no_key UNIQUE (inbox_no);
ALTER TABLE ONLY public.document_piece
    ADD CONSTRAINT document_piece_pkey PRIMARY KEY (source_no, document_no, from_at, batch_no);
ALTER TABLE ONLY public.document
    ADD CONSTRAINT document_pkey PRIMARY KEY (document_no);
ALTER TABLE ONLY public.document
    ADD CONSTRAINT document_site_no_idempotency_key_key UNIQUE (site_no, idempotency_key);
ALTER TABLE ONLY public.emission_history
    ADD CONSTRAINT emission_history_pkey PRIMARY KEY (source_no, start_at, batch_no);
ALTER TABLE ONLY public.emission
    ADD CONSTRAINT emission_pkey PRIMARY KEY (source_no, start_at);
ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_id_key UNIQUE (id);
ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_pkey PRIMARY KEY (event_no);
ALTER TABLE ONLY public.event_waiting
    ADD CONSTRAINT event_waiting_pkey PRIMARY KEY (event_no);
ALTER TABLE ONLY public.frontier_history
    ADD CONSTRAINT frontier_history_pkey PRIMARY KEY (point_no, closed_until);
ALTER TABLE ONLY public.gap_fill
    ADD CONSTRAINT gap_fill_pkey PRIMARY KEY (point_no, from_at, plan_version, batch_no);
ALTER TABLE ONLY public.hour_record_history
    ADD CONSTRAINT hour_record_history_pkey PRIMARY KEY (source_no, component, start_at, batch_no);
ALTER TABLE ONLY public.hour_record
    ADD CONSTRAINT hour_record_pkey PRIMARY KEY (source_no, component, start_at);
ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT inbox_pkey PRIMARY KEY (inbox_no);
ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT inbox_site_no_idempotency_key_key UNIQUE (site_no, idempotency_key);
ALTER TABLE ONLY public.ingest_commit
    ADD CONSTRAINT ingest_commit_pkey PRIMARY KEY (site_no, batch_no);
ALTER TABLE ONLY public.interval_day
    ADD CONSTRAINT interval_day_pkey PRIMARY KEY (point_no, start_at);
ALTER TABLE ONLY public.interval_history
    ADD CONSTRAINT interval_history_pkey PRIMARY KEY (point_no, start_at, batch_no);
ALTER TABLE ONLY public.interval_hour
    ADD CONSTRAINT interval_hour_pkey PRIMARY KEY (point_no, start_at);
ALTER TABLE ONLY public."interval"
    ADD CONSTRAINT interval_pkey PRIMARY KEY (point_no, start_at);
ALTER TABLE ONLY public.kpi
    ADD CONSTRAINT kpi_id_key UNIQUE (id);
ALTER TABLE ONLY public.kpi_latest
    ADD CONSTRAINT kpi_latest_pkey PRIMARY KEY (kpi_no, window_us);
ALTER TABLE ONLY public.kpi
    ADD CONSTRAINT kpi_pkey PRIMARY KEY (kpi_no);
ALTER TABLE ONLY public.kpi_value_history
    ADD CONSTRAINT kpi_value_history_pkey PRIMARY KEY (kpi_no, start_at, batch_no);
ALTER TABLE ONLY public.kpi_value
    ADD CONSTRAINT kpi_value_pkey PRIMARY KEY (kpi_no, start_at);
ALTER TABLE ONLY public.ledger_history
    ADD CONSTRAINT ledger_history_pkey PRIMARY KEY (point_no, at, class, batch_no);
ALTER TABLE ONLY public.ledger
    ADD CONSTRAINT ledger_pkey PRIMARY KEY (point_no, at, class);
ALTER TABLE ONLY public.period_kpi
    ADD CONSTRAINT period_kpi_pkey PRIMARY KEY (seal_no, kpi_no, batch_no);
ALTER TABLE ONLY public.period_point
    ADD CONSTRAINT period_point_pkey PRIMARY KEY (seal_no, point_no, batch_no);
ALTER TABLE ONLY public.period_regime
    ADD CONSTRAINT period_regime_pkey PRIMARY KEY (seal_no, source_no, batch_no);
ALTER TABLE ONLY public.period_seal
    ADD CONSTRAINT period_seal_inbox_no_key UNIQUE (inbox_no);
ALTER TABLE ONLY public.period_seal
    ADD CONSTRAINT period_seal_pkey PRIMARY KEY (seal_no);
ALTER TABLE ONLY public.period_seal
    ADD CONSTRAINT period_seal_site_no_from_at_edition_key UNIQUE (site_no, from_at, edition);
ALTER TABLE ONLY public.period_source
    ADD CONSTRAINT period_source_pkey PRIMARY KEY (seal_no, source_no, batch_no);
ALTER TABLE ONLY public.plan_in_force
    ADD CONSTRAINT plan_in_force_pkey PRIMARY KEY (point_no, version);
ALTER TABLE ONLY public.plan_version
    ADD CONSTRAINT plan_version_pkey PRIMARY KEY (site_no, version);
ALTER TABLE ONLY public.point
    ADD CONSTRAINT point_id_key UNIQUE (id);
ALTER TABLE ONLY public.point
    ADD CONSTRAINT point_pkey PRIMARY KEY (point_no);
ALTER TABLE ONLY public.point_state
    ADD CONSTRAINT point_state_pkey PRIMARY KEY (point_no);
ALTER TABLE ONLY public.regime_hour_history
    ADD CONSTRAINT regime_hour_history_pkey PRIMARY KEY (source_no, start_at, batch_no);
ALTER TABLE ONLY public.regime_hour
    ADD CONSTRAINT regime_hour_pkey PRIMARY KEY (source_no, start_at);
ALTER TABLE ONLY public.rejected_count
    ADD CONSTRAINT rejected_count_pkey PRIMARY KEY (site_no, reason, day);
ALTER TABLE ONLY public.rejected
    ADD CONSTRAINT rejected_pkey PRIMARY KEY (rejected_no);
ALTER TABLE ONLY public.schema_migration
    ADD CONSTRAINT schema_migration_pkey PRIMARY KEY (step);
ALTER TABLE ONLY public.site
    ADD CONSTRAINT site_id_key UNIQUE (id);
ALTER TABLE ONLY public.site
    ADD CONSTRAINT site_pkey PRIMARY KEY (site_no);
ALTER TABLE ONLY public.source
    ADD CONSTRAINT source_id_key UNIQUE (id);
ALTER TABLE ONLY public.source
    ADD CONSTRAINT source_pkey PRIMARY KEY (source_no);
ALTER TABLE ONLY public.webhook_act
    ADD CONSTRAINT webhook_act_pkey PRIMARY KEY (webhook_no, idempotency_key);
ALTER TABLE ONLY public.webhook
    ADD CONSTRAINT webhook_pkey PRIMARY KEY (webhook_no);
ALTER TABLE ONLY public.webhook
    ADD CONSTRAINT webhook_site_no_id_key UNIQUE (site_no, id);
CREATE INDEX alert_act_of_episode ON public.alert_act USING btree (episode, act_no);
CREATE INDEX alert_episode_end ON public.alert_episode USING btree (site_no, resolved_at);
CREATE INDEX alert_episode_in_time ON public.alert_episode USING btree (site_no, fired_at);
CREATE INDEX alert_silence_in_time ON public.alert_silence USING btree (site_no, to_at);
CREATE INDEX analyser_test_of ON public.analyser_test USING btree (site_no, instrument, kind, performed_at, test_no);
CREATE INDEX comparison_drifted ON public.comparison USING btree (point_no, start_at) WHERE (verdict = 1);
CREATE INDEX declaration_by_point ON public.declaration USING btree (point_no, at);
CREATE INDEX declaration_withdrawn ON public.declaration USING btree (withdraws) WHERE (withdraws IS NOT NULL);
CREATE INDEX delivery_claimed ON public.delivery USING btree (claimed_by) WHERE (claimed_by IS NOT NULL);
CREATE INDEX delivery_dead ON public.delivery USING btree (webhook_no, sequence) WHERE (state = 'dead'::text);
CREATE INDEX delivery_due ON public.delivery USING btree (webhook_no, due_at) WHERE (state = 'waiting'::text);
CREATE INDEX delivery_order ON public.delivery USING btree (webhook_no, stream, sequence) WHERE (state = 'waiting'::text);
CREATE INDEX document_of_subject ON public.document USING btree (site_no, subject, from_at);
CREATE INDEX document_piece_in_time ON public.document_piece USING btree (source_no, from_at);
CREATE INDEX document_superseded ON public.document USING btree (supersedes) WHERE (supersedes IS NOT NULL);
CREATE INDEX document_withdrawn ON public.document USING btree (withdraws) WHERE (withdraws IS NOT NULL);
CREATE INDEX event_stream ON public.event USING btree (site_no, stream, event_no);
CREATE INDEX event_time ON public.event USING btree (site_no, occurred_at);
CREATE INDEX gap_fill_source ON public.gap_fill USING btree (source_no, source_to) WHERE (superseded_batch IS NULL);
CREATE INDEX inbox_waiting ON public.inbox USING btree (site_no, priority, inbox_no) WHERE (batch_no IS NULL);
CREATE INDEX period_kpi_known ON public.period_kpi USING btree (known_at);
CREATE INDEX period_point_known ON public.period_point USING btree (known_at);
CREATE INDEX period_regime_known ON public.period_regime USING btree (known_at);
CREATE INDEX period_source_known ON public.period_source USING btree (known_at);
CREATE INDEX reading_by_batch ON ONLY public.reading USING brin (batch_no);
CREATE INDEX reading_2026_11_batch_no_idx ON public.reading_2026_11 USING brin (batch_no);
CREATE INDEX reading_by_point ON ONLY public.reading USING btree (point_no, measured_at);
CREATE INDEX reading_2026_11_point_no_measured_at_idx ON public.reading_2026_11 USING btree (point_no, measured_at);
CREATE INDEX rejected_by_reason ON public.rejected USING btree (site_no, reason, received_at);
ALTER INDEX public.reading_by_batch ATTACH PARTITION public.reading_2026_11_batch_no_idx;
ALTER INDEX public.reading_by_point ATTACH PARTITION public.reading_2026_11_point_no_measured_at_idx;
CREATE TRIGGER event_waits AFTER INSERT ON public.event FOR EACH ROW WHEN ((NOT new.historical)) EXECUTE FUNCTION public.event_waits();
CREATE TRIGGER keep_history AFTER DELETE OR UPDATE ON public.emission FOR EACH ROW WHEN ((old.revision > 0)) EXECUTE FUNCTION public.keep_emission();
CREATE TRIGGER keep_history AFTER DELETE OR UPDATE ON public.hour_record FOR EACH ROW EXECUTE FUNCTION public.keep_hour_record();
CREATE TRIGGER keep_history AFTER DELETE OR UPDATE ON public."interval" FOR EACH ROW WHEN ((old.revision > 0)) EXECUTE FUNCTION public.keep_interval();
CREATE TRIGGER keep_history AFTER DELETE OR UPDATE ON public.kpi_value FOR EACH ROW WHEN ((old.revision > 0)) EXECUTE FUNCTION public.keep_kpi_value();
CREATE TRIGGER keep_history AFTER DELETE OR UPDATE ON public.ledger FOR EACH ROW EXECUTE FUNCTION public.keep_ledger();
CREATE TRIGGER keep_history AFTER DELETE OR UPDATE ON public.regime_hour FOR EACH ROW EXECUTE FUNCTION public.keep_regime_hour();
ALTER TABLE ONLY public.alert_act
    ADD CONSTRAINT alert_act_episode_fkey FOREIGN KEY (episode) REFERENCES public.alert_episode(episode);
ALTER TABLE ONLY public.alert_act
    ADD CONSTRAINT alert_act_site_no_fkey FOREIGN KEY (site_no) REFERENCES public.site(site_no);
ALTER TABLE ONLY public.alert_episode
    ADD CONSTRAINT alert_episode_site_no_fkey FOREIGN KEY (site_no) REFERENCES public.site(site_no);
ALTER TABLE ONLY public.alert_silence
    ADD CONSTRAINT alert_silence_site_no_fkey FOREIGN KEY (site_no) REFERENCES public.site(site_no);
ALTER TABLE ONLY public.alert_state
    ADD CONSTRAINT alert_state_site_no_fkey FOREIGN KEY (site_no) REFERENCES public.site(site_no);
ALTER TABLE ONLY public.analyser_test
    ADD CONSTRAINT analyser_test_site_no_fkey FOREIGN KEY (site_no) REFERENCES public.site(site_no);
ALTER TABLE ONLY public.declaration
    ADD CONSTRAINT declaration_point_no_fkey FOREIGN KEY (point_no) REFERENCES public.point(point_no);
ALTER TABLE ONLY public.declaration
    ADD CONSTRAINT declaration_site_no_fkey FOREIGN KEY (site_no) REFERENCES public.site(site_no);
ALTER TABLE ONLY public.declaration
    ADD CONSTRAINT declaration_withdraws_fkey FOREIGN KEY (withdraws) REFERENCES public.declaration(declaration_no);
ALTER TABLE ONLY public.delivery_attempt
    ADD CONSTRAINT delivery_attempt_delivery_no_fkey FOREIGN KEY (delivery_no) REFERENCES public.delivery(delivery_no);
ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT delivery_event_no_fkey FOREIGN KEY (event_no) REFERENCES public.event(event_no);
ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT delivery_webhook_no_fkey FOREIGN KEY (webhook_no) REFERENCES public.webhook(webhook_no);
ALTER TABLE ONLY public.document_piece
    ADD CONSTRAINT document_piece_document_no_fkey FOREIGN KEY (document_no) REFERENCES public.document(document_no);
ALTER TABLE ONLY public.document_piece
    ADD CONSTRAINT document_piece_source_no_fkey FOREIGN KEY (source_no) REFERENCES public.source(source_no);
ALTER TABLE ONLY public.document
    ADD CONSTRAINT document_site_no_fkey FOREIGN KEY (site_no) REFERENCES public.site(site_no);
ALTER TABLE ONLY public.document
    ADD CONSTRAINT document_supersedes_fkey FOREIGN KEY (supersedes) REFERENCES public.document(document_no);
ALTER TABLE ONLY public.document
    ADD CONSTRAINT document_withdraws_fkey FOREIGN KEY (withdraws) REFERENCES public.document(document_no);
ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_site_no_fkey FOREIGN KEY (site_no) REFERENCES public.site(site_no);
ALTER TABLE ONLY public.event_waiting
    ADD CONSTRAINT event_waiting_event_no_fkey FOREIGN KEY (event_no) REFERENCES public.event(event_no);
ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT inbox_site_no_fkey FOREIGN KEY (site_no) REFERENCES public.site(site_no);
ALTER TABLE ONLY public.ingest_commit
    ADD CONSTRAINT ingest_commit_site_no_fkey FOREIGN KEY (site_no) REFERENCES public.site(site_no);
ALTER TABLE ONLY public.kpi
    ADD CONSTRAINT kpi_site_no_fkey FOREIGN KEY (site_no) REFERENCES public.site(site_no);
ALTER TABLE ONLY public.period_kpi
    ADD CONSTRAINT period_kpi_seal_no_fkey FOREIGN KEY (seal_no) REFERENCES public.period_seal(seal_no);
ALTER TABLE ONLY public.period_point
    ADD CONSTRAINT period_point_seal_no_fkey FOREIGN KEY (seal_no) REFERENCES public.period_seal(seal_no);
ALTER TABLE ONLY public.period_regime
    ADD CONSTRAINT period_regime_seal_no_fkey FOREIGN KEY (seal_no) REFERENCES public.period_seal(seal_no);
ALTER TABLE ONLY public.period_seal
    ADD CONSTRAINT period_seal_site_no_fkey FOREIGN KEY (site_no) REFERENCES public.site(site_no);
ALTER TABLE ONLY public.period_source
    ADD CONSTRAINT period_source_seal_no_fkey FOREIGN KEY (seal_no) REFERENCES public.period_seal(seal_no);
ALTER TABLE ONLY public.plan_version
    ADD CONSTRAINT plan_version_site_no_fkey FOREIGN KEY (site_no) REFERENCES public.site(site_no);
ALTER TABLE ONLY public.point
    ADD CONSTRAINT point_site_no_fkey FOREIGN KEY (site_no) REFERENCES public.site(site_no);
ALTER TABLE ONLY public.rejected_count
    ADD CONSTRAINT rejected_count_site_no_fkey FOREIGN KEY (site_no) REFERENCES public.site(site_no);
ALTER TABLE ONLY public.rejected
    ADD CONSTRAINT rejected_site_no_fkey FOREIGN KEY (site_no) REFERENCES public.site(site_no);
ALTER TABLE ONLY public.source
    ADD CONSTRAINT source_site_no_fkey FOREIGN KEY (site_no) REFERENCES public.site(site_no);
ALTER TABLE ONLY public.webhook_act
    ADD CONSTRAINT webhook_act_webhook_no_fkey FOREIGN KEY (webhook_no) REFERENCES public.webhook(webhook_no);
ALTER TABLE ONLY public.webhook
    ADD CONSTRAINT webhook_site_no_fkey FOREIGN KEY (site_no) REFERENCES public.site(site_no);
