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
CREATE SCHEMA board;
COMMENT ON SCHEMA board IS 'Views for dashboards: stable names, read by stackwatt_read';
CREATE FUNCTION board.clock() RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    AS $$
    SELECT coalesce(nullif(current_setting('stackwatt.board_now', true), '')::timestamptz, now())
$$;
COMMENT ON FUNCTION board.clock() IS 'Now, or the instant that a session says in stackwatt.board_now';
CREATE FUNCTION board.combine(kind text, a double precision, b double precision, covered_us numeric) RETURNS double precision
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT CASE WHEN covered_us <= 0 OR a = ANY('{NaN,Infinity,-Infinity}') OR b = ANY('{NaN,Infinity,-Infinity}') THEN NULL
                WHEN kind IN ('ratio', 'rate', 'demand') THEN CASE WHEN b > 0 THEN a / b END
                WHEN kind = 'total' THEN a
                WHEN kind = 'power_factor' THEN a / nullif(sqrt(a * a + b * b), 0)
           END
$$;
COMMENT ON FUNCTION board.combine(kind text, a double precision, b double precision, covered_us numeric) IS 'The figure of two sums, as ingest.methods.figures.combine; a load factor is not made of sums: NULL';
CREATE FUNCTION board.grant_read(reader name) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA board TO %I', reader);
    EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA board TO %I', reader);
END
$$;
COMMENT ON FUNCTION board.grant_read(reader name) IS 'For the owner: lets a role read the views; again after a migration that adds one';
CREATE FUNCTION public.audit_stays() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is only ever added to';
END
$$;
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
                    PERFORM note_said('emission superseded');
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
                    PERFORM note_said('hour_record superseded');
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
                    PERFORM note_said('interval superseded');
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
                    PERFORM note_said('kpi_value superseded');
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
                    PERFORM note_said('ledger superseded');
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
        PERFORM note_said('regime_hour superseded');
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION public.note_emission() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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
CREATE FUNCTION public.note_interval() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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
CREATE FUNCTION public.note_kpi_value() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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
CREATE FUNCTION public.note_said(name text) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    said text := coalesce(current_setting('stackwatt.said', true), '');
BEGIN
    IF NOT name = ANY(string_to_array(said, ',')) THEN
        PERFORM set_config('stackwatt.said', concat_ws(',', nullif(said, ''), name), true);
    END IF;
END
$$;
CREATE FUNCTION public.note_table() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM note_said(TG_ARGV[0]);
    RETURN NULL;
END
$$;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.plan_version (
    site_no integer NOT NULL,
    version integer NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL,
    digest text NOT NULL,
    body jsonb NOT NULL
);
CREATE FUNCTION public.plan_version_said(v public.plan_version) RETURNS text
    LANGUAGE sql STABLE
    AS $$
    SELECT encode(sha256(convert_to(plan_version_text(v), 'UTF8')), 'hex')
$$;
CREATE FUNCTION public.plan_version_text(v public.plan_version) RETURNS text
    LANGUAGE sql STABLE
    AS $$
    SELECT concat_ws(E'\n', (extract(epoch FROM v.effective_at) * 1000000)::bigint,
                     (extract(epoch FROM v.applied_at) * 1000000)::bigint, v.digest, v.body)
$$;
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
CREATE TABLE public.site (
    site_no integer NOT NULL,
    id text NOT NULL,
    epoch bigint DEFAULT 0 NOT NULL,
    holder text,
    subscribed text[] DEFAULT '{}'::text[] NOT NULL
);
CREATE VIEW board.alert AS
 SELECT s.id AS site,
    a.episode,
    a.rule,
    a.severity,
    a.subject_kind,
    a.subject_id,
    a.unit_path,
    a.pending_at,
    a.fired_at,
    a.told_at,
    a.mute,
    a.resolved_at,
        CASE
            WHEN (a.resolved_at IS NULL) THEN 'firing'::text
            ELSE 'resolved'::text
        END AS state,
    (a.data ->> 'cause'::text) AS cause,
    ((a.data ->> 'value'::text))::double precision AS value,
    ((a.data ->> 'limit'::text))::double precision AS "limit",
    (a.data ->> 'unit'::text) AS unit,
    ( SELECT min(alert_act.at) AS min
           FROM public.alert_act
          WHERE ((alert_act.episode = a.episode) AND (alert_act.kind = 'acknowledge'::text))) AS acknowledged_at
   FROM (public.alert_episode a
     JOIN public.site s USING (site_no));
COMMENT ON VIEW board.alert IS 'Episodes of alerts, as /v1/alerts';
CREATE TABLE public.ingest_commit (
    site_no integer NOT NULL,
    batch_no bigint NOT NULL,
    epoch bigint NOT NULL,
    known_at timestamp with time zone NOT NULL,
    plan_version integer NOT NULL,
    watermark timestamp with time zone,
    readings integer NOT NULL
);
CREATE VIEW board.site AS
 SELECT s.site_no,
    s.id AS site,
    (p.body ->> 'name'::text) AS name,
    (p.body ->> 'time_zone'::text) AS time_zone,
    (p.body ->> 'clock'::text) AS clock,
    (p.body ->> 'currency'::text) AS currency,
    p.version AS plan_version,
    c.batch_no,
    c.known_at AS committed_at,
    c.watermark,
        CASE
            WHEN ((p.body ->> 'clock'::text) <> 'replay'::text) THEN (EXTRACT(epoch FROM (board.clock() - c.known_at)))::double precision
            ELSE NULL::double precision
        END AS commit_age_s
   FROM ((public.site s
     JOIN LATERAL ( SELECT plan_version.version,
            plan_version.body
           FROM public.plan_version
          WHERE (plan_version.site_no = s.site_no)
          ORDER BY plan_version.version DESC
         LIMIT 1) p ON (true))
     LEFT JOIN LATERAL ( SELECT ingest_commit.batch_no,
            ingest_commit.known_at,
            ingest_commit.watermark
           FROM public.ingest_commit
          WHERE (ingest_commit.site_no = s.site_no)
          ORDER BY ingest_commit.batch_no DESC
         LIMIT 1) c ON (true));
COMMENT ON VIEW board.site IS 'A row a site: its newest plan version and its last commit';
CREATE VIEW board.plan AS
 SELECT s.site_no,
    s.site,
    p.body
   FROM (board.site s
     JOIN public.plan_version p ON (((p.site_no = s.site_no) AND (p.version = s.plan_version))));
COMMENT ON VIEW board.plan IS 'The plant file in force, as JSON';
CREATE VIEW board.benchmark AS
 SELECT p.site,
    ((p.site || '/'::text) || (d.value ->> 'id'::text)) AS id,
    ((p.site || '/'::text) || (d.value ->> 'kpi'::text)) AS kpi,
    ((d.value ->> 'value'::text))::double precision AS value,
    (d.value ->> 'unit'::text) AS unit,
    (d.value ->> 'level'::text) AS level,
    (d.value ->> 'better'::text) AS better,
    (d.value ->> 'source'::text) AS source,
    (d.value ->> 'trust'::text) AS trust
   FROM (board.plan p
     CROSS JOIN LATERAL jsonb_array_elements((p.body -> 'benchmarks'::text)) d(value));
COMMENT ON VIEW board.benchmark IS 'Benchmarks of the plant file, as written: before corrections';
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
CREATE TABLE public.source (
    source_no integer NOT NULL,
    site_no integer NOT NULL,
    id text NOT NULL
);
CREATE VIEW board.emission_interval AS
 SELECT p.site,
    s.id AS source,
    concat_ws('/'::text, p.site, (d.value ->> 'unit'::text)) AS unit_path,
    (d.value ->> 'name'::text) AS name,
    ((d.value ->> 'scope'::text))::integer AS scope,
    (d.value ->> 'category'::text) AS category,
    (d.value ->> 'gas'::text) AS gas,
    (d.value ->> 'route'::text) AS route,
    e.start_at,
        CASE
            WHEN (e.mass_kg <> ALL ('{NaN,Infinity,-Infinity}'::double precision[])) THEN e.mass_kg
            ELSE NULL::double precision
        END AS mass_kg,
    e.covered_us,
    e.valid_us,
    e.substituted_us,
    e.quality,
    e.known_at
   FROM (((board.plan p
     CROSS JOIN LATERAL jsonb_array_elements((p.body -> 'sources'::text)) d(value))
     JOIN public.source s ON (((s.site_no = p.site_no) AND (s.id = ((p.site || '/'::text) || (d.value ->> 'id'::text))))))
     JOIN public.emission e USING (source_no))
  WHERE (e.revision > 0);
COMMENT ON VIEW board.emission_interval IS 'Closed intervals of each source. Routes measured and calculated tell one emission twice: never add them';
CREATE VIEW board.instrument AS
 SELECT p.site,
    ((p.site || '/'::text) || (d.value ->> 'id'::text)) AS id,
    (d.value ->> 'kind'::text) AS kind,
    (d.value ->> 'accuracy_class'::text) AS accuracy_class,
    (d.value ->> 'serial'::text) AS serial,
    ((d.value ->> 'calibrated_on'::text))::date AS calibrated_on,
    ((d.value ->> 'due_on'::text))::date AS due_on
   FROM (board.plan p
     CROSS JOIN LATERAL jsonb_array_elements((p.body -> 'instruments'::text)) d(value));
COMMENT ON VIEW board.instrument IS 'Instruments of the plant file and their calibrations';
CREATE TABLE public.kpi (
    kpi_no integer NOT NULL,
    site_no integer NOT NULL,
    id text NOT NULL
);
CREATE VIEW board.kpi AS
 SELECT k.kpi_no,
    p.site,
    k.id,
    (d.value ->> 'name'::text) AS name,
    (d.value ->> 'kind'::text) AS kind,
    (d.value ->> 'unit'::text) AS unit,
    COALESCE(((d.value ->> 'stale_after'::text))::interval,
        CASE
            WHEN ((p.body ->> 'clock'::text) = 'live'::text) THEN '00:05:00'::interval
            ELSE NULL::interval
        END) AS stale_after,
    ((d.value ->> 'block'::text))::interval AS block
   FROM ((board.plan p
     CROSS JOIN LATERAL jsonb_array_elements((p.body -> 'kpis'::text)) d(value))
     JOIN public.kpi k ON (((k.site_no = p.site_no) AND (k.id = ((p.site || '/'::text) || (d.value ->> 'id'::text))))));
COMMENT ON VIEW board.kpi IS 'The KPIs of the plant files in force';
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
CREATE VIEW board.kpi_interval AS
 SELECT k.site,
    k.id,
    k.name,
    k.kind,
    k.unit,
    v.start_at,
    v.a,
    v.b,
    v.covered_us,
    v.valid_us,
    v.substituted_us,
    v.quality,
    v.revision,
    v.known_at
   FROM (board.kpi k
     JOIN public.kpi_value v USING (kpi_no))
  WHERE (v.revision > 0);
COMMENT ON VIEW board.kpi_interval IS 'The two sums of each closed interval of a KPI: sum both, then board.combine them';
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
CREATE VIEW board.kpi_now AS
 SELECT k.site,
    k.id,
    k.name,
    k.kind,
    k.unit,
    l.window_us,
    l.from_at,
    l.to_at,
        CASE
            WHEN ((l.value <> ALL ('{NaN,Infinity,-Infinity}'::double precision[])) AND (NOT f.is_stale)) THEN l.value
            ELSE NULL::double precision
        END AS value,
        CASE
            WHEN (f.is_stale AND (l.reason IS NULL)) THEN 'stale'::text
            ELSE l.reason
        END AS reason,
    COALESCE(((l.valid_us)::double precision / (NULLIF(((EXTRACT(epoch FROM (l.to_at - l.from_at)) * (1000000)::numeric))::bigint, 0))::double precision), (0)::double precision) AS valid_share,
    f.data_age_s
   FROM (((board.kpi k
     JOIN board.site s USING (site))
     JOIN public.kpi_latest l USING (kpi_no))
     CROSS JOIN LATERAL ( SELECT ((s.clock <> 'replay'::text) AND (k.stale_after IS NOT NULL) AND ((board.clock() - l.to_at) > k.stale_after)) AS is_stale,
                CASE
                    WHEN (s.clock <> 'replay'::text) THEN (GREATEST((0)::numeric, EXTRACT(epoch FROM (board.clock() - l.to_at))))::double precision
                    ELSE NULL::double precision
                END AS data_age_s) f);
COMMENT ON VIEW board.kpi_now IS 'Each KPI in each live window, as /v1/kpis/latest; value NULL for a reason';
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
CREATE VIEW board.period AS
 SELECT s.id AS site,
    p.seal_no,
    p.kind,
    p.edition,
    p.from_at,
    p.to_at,
    p.sealed_by,
    p.sealed_at
   FROM (public.period_seal p
     JOIN public.site s USING (site_no));
COMMENT ON VIEW board.period IS 'Sealed periods';
CREATE TABLE public.point (
    point_no integer NOT NULL,
    site_no integer NOT NULL,
    id text NOT NULL
);
CREATE VIEW board.point AS
 SELECT t.point_no,
    p.site,
    t.id,
    regexp_replace(t.id, '/[^/]*$'::text, ''::text) AS unit_path,
    (d.value ->> 'name'::text) AS name,
    (d.value ->> 'kind'::text) AS kind,
    (d.value ->> 'unit'::text) AS unit,
    (d.value ->> 'carrier'::text) AS carrier,
    (d.value ->> 'product'::text) AS product,
    ((d.value ->> 'resolution'::text))::double precision AS resolution
   FROM ((board.plan p
     CROSS JOIN LATERAL jsonb_array_elements((p.body -> 'points'::text)) d(value))
     JOIN public.point t ON (((t.site_no = p.site_no) AND (t.id = ((p.site || '/'::text) || (d.value ->> 'id'::text))))));
COMMENT ON VIEW board.point IS 'The points of the plant files in force; unit_path is where a point stands';
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
CREATE VIEW board.point_day AS
 SELECT p.site,
    p.id,
    p.unit_path,
    p.name,
    p.kind,
    p.unit,
    p.carrier,
    p.product,
    d.start_at,
    COALESCE(((d.amount_count)::double precision * p.resolution), d.amount) AS amount,
    d.mean,
    d.min,
    d.max,
    d.covered_us,
    d.valid_us,
    d.substituted_us,
    d.quality,
    d.known_at
   FROM (board.point p
     JOIN public.interval_day d USING (point_no));
COMMENT ON VIEW board.point_day IS 'Days of a point, in the zone of the site';
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
CREATE VIEW board.point_hour AS
 SELECT p.site,
    p.id,
    p.unit_path,
    p.name,
    p.kind,
    p.unit,
    p.carrier,
    p.product,
    h.start_at,
    COALESCE(((h.amount_count)::double precision * p.resolution), h.amount) AS amount,
    h.mean,
    h.min,
    h.max,
    ((h.covered_us)::double precision / ('3600000000'::numeric)::double precision) AS covered_share,
    ((h.valid_us)::double precision / ('3600000000'::numeric)::double precision) AS valid_share,
    ((h.substituted_us)::double precision / ('3600000000'::numeric)::double precision) AS substituted_share,
    h.quality,
    h.known_at
   FROM (board.point p
     JOIN public.interval_hour h USING (point_no));
COMMENT ON VIEW board.point_hour IS 'Hours of a point; amount is in its unit for a counter or delta, in unit times hours for a gauge';
CREATE TABLE public.rejected_count (
    site_no integer NOT NULL,
    reason text NOT NULL,
    day date NOT NULL,
    total bigint NOT NULL
);
CREATE VIEW board.rejected AS
 SELECT s.id AS site,
    r.reason,
    r.day,
    r.total
   FROM (public.rejected_count r
     JOIN public.site s USING (site_no));
COMMENT ON VIEW board.rejected IS 'Readings or bodies refused, by reason and day';
ALTER TABLE public.alert_act ALTER COLUMN act_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.alert_act_act_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
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
    revoked_at timestamp with time zone,
    expires_at timestamp with time zone,
    last_used_at timestamp with time zone,
    succeeds integer,
    idempotency_key text,
    request bytea
);
COMMENT ON COLUMN public.api_key.scopes IS 'read, mes, operate, admin; with @site only there';
ALTER TABLE public.api_key ALTER COLUMN key_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.api_key_key_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.audit (
    audit_no bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    who text NOT NULL,
    via text NOT NULL,
    what text NOT NULL,
    site_no integer,
    subject text NOT NULL,
    before jsonb,
    after jsonb,
    CONSTRAINT audit_via_check CHECK ((via = ANY (ARRAY['api'::text, 'console'::text, 'ingest'::text]))),
    CONSTRAINT audit_what_check CHECK ((what ~ '^[a-z_]+\.[a-z_]+$'::text))
);
ALTER TABLE public.audit ALTER COLUMN audit_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.audit_audit_no_seq
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
CREATE TABLE public.evidence_hour (
    site_no integer NOT NULL,
    hour_at timestamp with time zone NOT NULL,
    first_batch bigint NOT NULL,
    last_batch bigint NOT NULL,
    root bytea NOT NULL,
    chain bytea NOT NULL,
    notes bytea NOT NULL,
    public_key bytea,
    signature bytea
);
CREATE TABLE public.evidence_leaf (
    site_no integer NOT NULL,
    batch_no bigint NOT NULL,
    epoch bigint NOT NULL,
    known_at timestamp with time zone NOT NULL,
    plan_version integer NOT NULL,
    watermark timestamp with time zone,
    readings integer NOT NULL,
    leaf bytea NOT NULL,
    locators bytea NOT NULL
);
ALTER TABLE ONLY public.evidence_leaf ALTER COLUMN locators SET STORAGE EXTERNAL;
CREATE TABLE public.evidence_note (
    site_no integer NOT NULL,
    kind smallint NOT NULL,
    number integer NOT NULL,
    said text NOT NULL,
    batch_no bigint NOT NULL
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
ALTER TABLE public.kpi ALTER COLUMN kpi_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.kpi_kpi_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
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
CREATE TABLE public.mes_statement (
    site_no integer NOT NULL,
    statement_no bigint NOT NULL,
    said text NOT NULL,
    kind text NOT NULL,
    id text NOT NULL,
    seq bigint NOT NULL,
    order_id text,
    unit text,
    from_at timestamp with time zone NOT NULL,
    to_at timestamp with time zone NOT NULL,
    body jsonb NOT NULL,
    received_at timestamp with time zone NOT NULL,
    known_at timestamp with time zone NOT NULL,
    batch_no bigint NOT NULL
);
ALTER TABLE public.mes_statement ALTER COLUMN statement_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.mes_statement_statement_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE SEQUENCE public.notifier_no
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
    CYCLE;
CREATE TABLE public.order_due (
    site_no integer NOT NULL,
    order_id text NOT NULL,
    wait_until timestamp with time zone NOT NULL,
    cause text NOT NULL
);
CREATE TABLE public.order_footprint (
    site_no integer NOT NULL,
    order_id text NOT NULL,
    revision integer NOT NULL,
    from_at timestamp with time zone NOT NULL,
    to_at timestamp with time zone NOT NULL,
    units text[] NOT NULL,
    figures jsonb NOT NULL,
    cause text NOT NULL,
    plan_version integer NOT NULL,
    known_at timestamp with time zone NOT NULL,
    batch_no bigint NOT NULL
);
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
ALTER TABLE public.site ALTER COLUMN site_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.site_site_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
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
INSERT INTO public.audit OVERRIDING SYSTEM VALUE VALUES
	(1, '2026-12-01 13:15:34.099284+00', 'ingest', 'ingest', 'plan.applied', 1, 'mill', NULL, '{"more": 0, "digest": "a988660798edcaed28eb5a9724ae549f1a2b65e656886ead87c9eb2f5b457ec0", "changes": [], "version": 1, "effective_at": "2026-11-20T08:00:00+00:00"}');
INSERT INTO public.emission VALUES
	(1, '2026-11-20 08:00:00+00', 0.8696, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(1, '2026-11-20 08:01:00+00', 0.8072000000000001, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(1, '2026-11-20 08:02:00+00', 0.7440000000000001, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(1, '2026-11-20 08:03:00+00', 0.8484, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1),
	(1, '2026-11-20 08:04:00+00', 0.7852000000000001, 60000000, 60000000, 0, 0, 0, 1, 0, 1, '2026-11-20 08:00:00+00', 1);
INSERT INTO public.evidence_hour VALUES
	(1, '2026-11-20 08:00:00+00', 1, 1, '\x748f1f23cc3bcc0ac9f7c95d74a673c726c539e6fc772028bb0169d965e61db5', '\x6f32e2b6aa60232818c148a9f4f6976336a6ad6a53d0219547d48f61b0c8ab82', '\xb2dae979662f0dfe779e3f28da4fd91b25648fc9c68b01cfc98ec9682434efd2', '\x3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29', '\x34f702f029d1bf24a7819fb1173d3a56b110bf4e14d068cef76b387ce4a5c00656f6c60640176b51f5f6d3002a363c97bcb23dc82d26c852f0649d0dc5277b06');
INSERT INTO public.evidence_leaf VALUES
	(1, 1, 1, '2026-11-20 08:00:00+00', 1, '2026-11-20 08:05:25+00', 40, '\x748f1f23cc3bcc0ac9f7c95d74a673c726c539e6fc772028bb0169d965e61db5', '\x01000000280000000000000006000000000436b5002c86737482c9ad0126a0f48322fcb990765cfcc5b2cb875de921a70f9b0e67eb64068d39ef7300447aa1766318c7113014216a0f399bed817341fe1edab22979a484d436169cdcc1fcdb8f4bb9221aa9f32550e3a02614752b054f1c239a62bb80285431d0a1445babff6cee7e47737fa72100a04ef328d9b054685cae4d4ab8a388599e88c7e8a4cba82b36a9d2d4c9384dd9cc823a39ec5447344ea3652a68020000001a00000000000000070000000032ce7900da3e9e342ac8b56982726774083b3fae23dc685a36b1f3db0daeba4f1475df76b41b20e4e75d2cb243f23d45411232cd047cb992188d0826609c8b68ab44768d68a5ab40644703cb4fbd41b166b6a0a461f48328afb565cecfe817eaa23a4c7f44362c6d896cd02c030000000f0000000000000000000660b0af298000ff5df15b854142755acf900ccb672d82abcafe850908c1e02ccaccdc1c26670abc630d0570b8b6246afc78c36f6292fc036a59770321ed895045ad5c04000000050000000000000001000660b0af298000a7cc5def84dfa76fd9a8d1489a0a2eb0fee5c2d612000000010000000000000005000660b0b35d2300187780d01a0000000b0000000000000005000000000000000720bb5052914faa4b602059f61bbfefb1fac8614d40587c243242dfe0b93c4a540b8b067f3621bb33057e5123'),
	(1, 2, 1, '2026-11-20 09:00:00+00', 1, '2026-11-20 08:05:25+00', 0, '\x0dee51d80fa74fb6dbe1f304e1cf80e26d74667efe0ffbfa28add09373767a95', '\x'),
	(1, 3, 1, '2026-11-20 09:00:00.000001+00', 1, '2026-11-20 08:05:25+00', 1, '\x886cc3a21123b5d76967fab7f9b57dae06d233ce8c49e88df5d9b89a987b365b', '\x01000000010000000000000003000660b0a50f07005b09fac702000000030000000000000006000660b0a50f0700418a84387561f9872a70691603000000010000000000000003000660b0a17b800069cc5a0408000000030000000000000006000660b0a50f07000000000000000001d1e826a2be61c3762c4f0eb609000000010000000000000003000660b0a17b80000000000000000001d1e826a2');
INSERT INTO public.evidence_note VALUES
	(1, 1, 1, 'mill/line/energy', 1),
	(1, 1, 2, 'mill/line/mass', 1),
	(1, 1, 3, 'mill/line/power', 1),
	(1, 1, 4, 'mill/line/setpoint', 1),
	(1, 1, 5, 'mill/line/batch', 1),
	(1, 1, 6, 'mill/line/doubled', 1),
	(1, 2, 1, 'mill/line/intensity', 1),
	(1, 2, 2, 'mill/line/co2', 1),
	(1, 2, 3, 'mill/line/load', 1),
	(1, 3, 1, 'mill/line/electricity', 1),
	(1, 4, 1, 'e384de7d2a63d1002444ed81867613e7dac5278d56d9032500cfc2466fedb29a', 1);
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
	(1, 1, '2026-11-20 08:00:00+00', '2026-12-01 13:15:34.099284+00', 'a988660798edcaed28eb5a9724ae549f1a2b65e656886ead87c9eb2f5b457ec0', '{"gwp": "AR5", "mes": null, "kpis": [{"id": "line/intensity", "kind": "ratio", "name": null, "unit": "kWh/t", "align": null, "basis": [], "block": null, "windows": ["5min", "1h"], "formerly": [], "numerator": [{"point": "line/energy", "source": null, "weight": 1.0, "factors": []}], "denominator": [{"point": "line/mass", "source": null, "weight": 1.0, "factors": []}], "load_window": null, "stale_after": null}, {"id": "line/co2", "kind": "rate", "name": null, "unit": "t/h", "align": null, "basis": [], "block": null, "windows": ["5min"], "formerly": [], "numerator": [{"point": null, "source": "line/electricity", "weight": 1.0, "factors": []}], "denominator": [], "load_window": null, "stale_after": null}, {"id": "line/load", "kind": "rate", "name": null, "unit": "kW", "align": null, "basis": [], "block": null, "windows": ["5min"], "formerly": [], "numerator": [{"point": "line/doubled", "source": null, "weight": 1.0, "factors": []}], "denominator": [], "load_window": null, "stale_after": null}], "name": "A mill", "site": "mill", "clock": "live", "units": [{"id": "line", "kind": "line", "name": "Line", "units": []}], "alerts": [], "points": [{"id": "line/energy", "fill": null, "kind": "counter", "name": null, "unit": "kWh", "basis": [], "stamp": null, "until": null, "limits": null, "period": "5s", "sloped": null, "states": {}, "topics": [], "carrier": "electricity", "compare": null, "fill_by": null, "max_gap": "2min", "modulus": 1000000000.0, "on_fall": null, "product": null, "analysis": null, "computed": null, "formerly": [], "max_rate": 10000.0, "validity": null, "resolution": 0.001, "stuck_after": null, "fill_at_most": null, "stuck_except": null, "min_valid_share": 0.75}, {"id": "line/mass", "fill": null, "kind": "counter", "name": null, "unit": "t", "basis": [], "stamp": null, "until": null, "limits": null, "period": "5s", "sloped": null, "states": {}, "topics": [], "carrier": null, "compare": null, "fill_by": null, "max_gap": "2min", "modulus": null, "on_fall": null, "product": "flour", "analysis": null, "computed": null, "formerly": [], "max_rate": null, "validity": null, "resolution": 0.001, "stuck_after": null, "fill_at_most": null, "stuck_except": null, "min_valid_share": 0.75}, {"id": "line/power", "fill": null, "kind": "gauge", "name": null, "unit": "kW", "basis": [], "stamp": null, "until": null, "limits": [0.0, 1000.0], "period": "5s", "sloped": true, "states": {}, "topics": [], "carrier": "electricity", "compare": null, "fill_by": null, "max_gap": "1min", "modulus": null, "on_fall": null, "product": null, "analysis": null, "computed": null, "formerly": [], "max_rate": null, "validity": null, "resolution": null, "stuck_after": null, "fill_at_most": null, "stuck_except": null, "min_valid_share": 0.75}, {"id": "line/setpoint", "fill": null, "kind": "gauge", "name": null, "unit": "kW", "basis": [], "stamp": null, "until": null, "limits": null, "period": "5s", "sloped": false, "states": {}, "topics": [], "carrier": null, "compare": null, "fill_by": null, "max_gap": "1min", "modulus": null, "on_fall": null, "product": null, "analysis": null, "computed": null, "formerly": [], "max_rate": null, "validity": null, "resolution": null, "stuck_after": null, "fill_at_most": null, "stuck_except": null, "min_valid_share": 0.75}, {"id": "line/batch", "fill": null, "kind": "delta", "name": null, "unit": "t", "basis": [], "stamp": null, "until": null, "limits": null, "period": "1min", "sloped": null, "states": {}, "topics": [], "carrier": null, "compare": null, "fill_by": null, "max_gap": null, "modulus": null, "on_fall": null, "product": null, "analysis": null, "computed": null, "formerly": [], "max_rate": null, "validity": null, "resolution": 0.001, "stuck_after": null, "fill_at_most": null, "stuck_except": null, "min_valid_share": 0.75}, {"id": "line/doubled", "fill": null, "kind": "gauge", "name": null, "unit": "kW", "basis": [], "stamp": null, "until": null, "limits": null, "period": null, "sloped": null, "states": {}, "topics": [], "carrier": null, "compare": null, "fill_by": null, "max_gap": "1min", "modulus": null, "on_fall": null, "product": null, "analysis": null, "computed": {"gate": null, "inputs": {"a": "line/power", "b": "line/setpoint"}, "method": "linear", "constants": {"a": 1.0, "b": 0.5}, "uncertainty_classes": {}}, "formerly": [], "max_rate": null, "validity": null, "resolution": null, "stuck_after": null, "fill_at_most": null, "stuck_except": null, "min_valid_share": 0.75}], "stages": [], "factors": [{"id": "grid", "from": null, "kind": null, "name": null, "unit": "t/MWh", "basis": [], "trust": "unconfirmed", "value": 0.4, "region": null, "series": [], "source": "test", "edition": null, "data_year": null, "published": null, "uncertainty": null, "uncertainty_class": null}], "sources": [{"id": "line/electricity", "gas": "co2", "name": null, "unit": null, "basis": null, "route": "calculated", "scope": 2, "regime": null, "supply": null, "account": null, "factors": ["grid"], "activity": "line/energy", "category": "purchased", "formerly": [], "carbonates": false, "factor_point": null}], "targets": [], "tariffs": [], "windows": ["5min", "1h", "8h", "1d"], "analyses": [], "calendar": {"shifts": [], "holidays": [], "workdays": [], "day_starts": "00:00", "year_starts": "01-01"}, "carriers": [{"id": "electricity", "name": "Electricity"}], "currency": null, "interval": "1min", "lateness": "5s", "products": [{"id": "flour", "name": "Flour"}], "webhooks": [], "allowance": [], "retention": {"commits_days": null, "readings_days": null, "rejected_days": 30}, "time_zone": "Europe/Berlin", "activities": [], "benchmarks": [], "boundaries": [], "instruments": [], "carbon_price": null, "correlations": [], "topic_prefix": "plant", "demand_charges": [], "reconciliations": [], "contracted_demand": null}');
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
	('0001_facts', '2026-12-01 13:15:33.562266+00'),
	('0002_reading', '2026-12-01 13:15:33.651193+00'),
	('0003_hour_sums', '2026-12-01 13:15:33.652984+00'),
	('0004_ledger', '2026-12-01 13:15:33.654547+00'),
	('0005_history', '2026-12-01 13:15:33.656496+00'),
	('0006_declaration', '2026-12-01 13:15:33.665594+00'),
	('0008_seal', '2026-12-01 13:15:33.677033+00'),
	('0009_in_force', '2026-12-01 13:15:33.69086+00'),
	('0010_gap_fill', '2026-12-01 13:15:33.694095+00'),
	('0011_comparison', '2026-12-01 13:15:33.697273+00'),
	('0012_ledger_and_editions', '2026-12-01 13:15:33.700254+00'),
	('0015_document', '2026-12-01 13:15:33.703148+00'),
	('0017_regime_hours', '2026-12-01 13:15:33.719782+00'),
	('0018_event', '2026-12-01 13:15:33.751796+00'),
	('0019_alert', '2026-12-01 13:15:33.758879+00'),
	('0020_webhooks', '2026-12-01 13:15:33.80469+00'),
	('0022_audit', '2026-12-01 13:15:33.848944+00'),
	('0023_hours_reported', '2026-12-01 13:15:33.873852+00'),
	('0026_evidence', '2026-12-01 13:15:33.890236+00'),
	('0027_mes', '2026-12-01 13:15:33.963294+00'),
	('0028_order_footprint', '2026-12-01 13:15:33.984351+00'),
	('0033_views', '2026-12-01 13:15:33.998381+00');
INSERT INTO public.site OVERRIDING SYSTEM VALUE VALUES
	(1, 'mill', 1, 'test', '{}');
INSERT INTO public.source OVERRIDING SYSTEM VALUE VALUES
	(1, 1, 'mill/line/electricity');
SELECT pg_catalog.setval('public.alert_act_act_no_seq', 1, false);
SELECT pg_catalog.setval('public.alert_episode_episode_no_seq', 1, false);
SELECT pg_catalog.setval('public.alert_silence_silence_no_seq', 1, false);
SELECT pg_catalog.setval('public.analyser_test_test_no_seq', 1, false);
SELECT pg_catalog.setval('public.api_key_key_no_seq', 1, false);
SELECT pg_catalog.setval('public.audit_audit_no_seq', 1, true);
SELECT pg_catalog.setval('public.declaration_declaration_no_seq', 1, false);
SELECT pg_catalog.setval('public.delivery_delivery_no_seq', 1, false);
SELECT pg_catalog.setval('public.document_document_no_seq', 1, false);
SELECT pg_catalog.setval('public.event_event_no_seq', 1, false);
SELECT pg_catalog.setval('public.inbox_inbox_no_seq', 1, false);
SELECT pg_catalog.setval('public.kpi_kpi_no_seq', 3, true);
SELECT pg_catalog.setval('public.mes_statement_statement_no_seq', 1, false);
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
    ADD CONSTRAINT api_key_idempotency_key_key UNIQUE (idempotency_key);
ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_pkey PRIMARY KEY (key_no);
ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_succeeds_key UNIQUE (succeeds);
ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (audit_no);
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
ALTER TABLE ONLY public.evidence_hour
    ADD CONSTRAINT evidence_hour_pkey PRIMARY KEY (site_no, hour_at);
ALTER TABLE ONLY public.evidence_leaf
    ADD CONSTRAINT evidence_leaf_pkey PRIMARY KEY (site_no, batch_no);
ALTER TABLE ONLY public.evidence_note
    ADD CONSTRAINT evidence_note_pkey PRIMARY KEY (site_no, kind, number, batch_no);
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
ALTER TABLE ONLY public.mes_statement
    ADD CONSTRAINT mes_statement_pkey PRIMARY KEY (statement_no);
ALTER TABLE ONLY public.mes_statement
    ADD CONSTRAINT mes_statement_site_no_said_key UNIQUE (site_no, said);
ALTER TABLE ONLY public.order_due
    ADD CONSTRAINT order_due_pkey PRIMARY KEY (site_no, order_id);
ALTER TABLE ONLY public.order_footprint
    ADD CONSTRAINT order_footprint_pkey PRIMARY KEY (site_no, order_id, revision);
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
CREATE INDEX analyser_test_by_batch ON public.analyser_test USING btree (batch_no);
CREATE INDEX analyser_test_of ON public.analyser_test USING btree (site_no, instrument, kind, performed_at, test_no);
CREATE UNIQUE INDEX api_key_name ON public.api_key USING btree (name) WHERE (succeeds IS NULL);
CREATE INDEX audit_of_site ON public.audit USING btree (site_no, audit_no);
CREATE INDEX comparison_drifted ON public.comparison USING btree (point_no, start_at) WHERE (verdict = 1);
CREATE INDEX declaration_by_batch ON public.declaration USING btree (batch_no);
CREATE INDEX declaration_by_point ON public.declaration USING btree (point_no, at);
CREATE INDEX declaration_withdrawn ON public.declaration USING btree (withdraws) WHERE (withdraws IS NOT NULL);
CREATE INDEX delivery_claimed ON public.delivery USING btree (claimed_by) WHERE (claimed_by IS NOT NULL);
CREATE INDEX delivery_dead ON public.delivery USING btree (webhook_no, sequence) WHERE (state = 'dead'::text);
CREATE INDEX delivery_due ON public.delivery USING btree (webhook_no, due_at) WHERE (state = 'waiting'::text);
CREATE INDEX delivery_order ON public.delivery USING btree (webhook_no, stream, sequence) WHERE (state = 'waiting'::text);
CREATE INDEX document_by_batch ON public.document USING btree (batch_no);
CREATE INDEX document_of_subject ON public.document USING btree (site_no, subject, from_at);
CREATE INDEX document_piece_by_batch ON public.document_piece USING btree (batch_no);
CREATE INDEX document_piece_in_time ON public.document_piece USING btree (source_no, from_at);
CREATE INDEX document_piece_superseded ON public.document_piece USING btree (superseded_batch) WHERE (superseded_batch IS NOT NULL);
CREATE INDEX document_superseded ON public.document USING btree (supersedes) WHERE (supersedes IS NOT NULL);
CREATE INDEX document_withdrawn ON public.document USING btree (withdraws) WHERE (withdraws IS NOT NULL);
CREATE INDEX emission_by_batch ON public.emission USING brin (batch_no) WITH (pages_per_range='32');
CREATE INDEX emission_history_superseded ON public.emission_history USING btree (superseded_batch);
CREATE INDEX event_stream ON public.event USING btree (site_no, stream, event_no);
CREATE INDEX event_time ON public.event USING btree (site_no, occurred_at);
CREATE INDEX frontier_history_by_batch ON public.frontier_history USING btree (batch_no);
CREATE INDEX gap_fill_by_batch ON public.gap_fill USING btree (batch_no);
CREATE INDEX gap_fill_source ON public.gap_fill USING btree (source_no, source_to) WHERE (superseded_batch IS NULL);
CREATE INDEX gap_fill_superseded ON public.gap_fill USING btree (superseded_batch) WHERE (superseded_batch IS NOT NULL);
CREATE INDEX hour_record_by_batch ON public.hour_record USING btree (batch_no);
CREATE INDEX hour_record_history_superseded ON public.hour_record_history USING btree (superseded_batch);
CREATE INDEX inbox_waiting ON public.inbox USING btree (site_no, priority, inbox_no) WHERE (batch_no IS NULL);
CREATE INDEX interval_by_batch ON public."interval" USING brin (batch_no) WITH (pages_per_range='32');
CREATE INDEX interval_history_superseded ON public.interval_history USING btree (superseded_batch);
CREATE INDEX kpi_value_by_batch ON public.kpi_value USING brin (batch_no) WITH (pages_per_range='32');
CREATE INDEX kpi_value_history_superseded ON public.kpi_value_history USING btree (superseded_batch);
CREATE INDEX ledger_by_batch ON public.ledger USING btree (batch_no);
CREATE INDEX ledger_history_superseded ON public.ledger_history USING btree (superseded_batch);
CREATE INDEX mes_statement_by_batch ON public.mes_statement USING btree (batch_no);
CREATE INDEX mes_statement_of_id ON public.mes_statement USING btree (site_no, kind, id);
CREATE INDEX mes_statement_of_order ON public.mes_statement USING btree (site_no, order_id, from_at);
CREATE INDEX mes_statement_of_unit ON public.mes_statement USING btree (site_no, unit, kind, from_at);
CREATE INDEX order_footprint_by_batch ON public.order_footprint USING btree (batch_no);
CREATE INDEX order_footprint_span ON public.order_footprint USING btree (site_no, to_at);
CREATE INDEX period_kpi_by_batch ON public.period_kpi USING btree (batch_no);
CREATE INDEX period_kpi_known ON public.period_kpi USING btree (known_at);
CREATE INDEX period_point_by_batch ON public.period_point USING btree (batch_no);
CREATE INDEX period_point_known ON public.period_point USING btree (known_at);
CREATE INDEX period_regime_by_batch ON public.period_regime USING btree (batch_no);
CREATE INDEX period_regime_known ON public.period_regime USING btree (known_at);
CREATE INDEX period_seal_by_batch ON public.period_seal USING btree (batch_no);
CREATE INDEX period_source_by_batch ON public.period_source USING btree (batch_no);
CREATE INDEX period_source_known ON public.period_source USING btree (known_at);
CREATE INDEX reading_by_batch ON ONLY public.reading USING brin (batch_no);
CREATE INDEX reading_2026_11_batch_no_idx ON public.reading_2026_11 USING brin (batch_no);
CREATE INDEX reading_by_point ON ONLY public.reading USING btree (point_no, measured_at);
CREATE INDEX reading_2026_11_point_no_measured_at_idx ON public.reading_2026_11 USING btree (point_no, measured_at);
CREATE INDEX regime_hour_by_batch ON public.regime_hour USING btree (batch_no);
CREATE INDEX regime_hour_history_superseded ON public.regime_hour_history USING btree (superseded_batch);
CREATE INDEX rejected_by_reason ON public.rejected USING btree (site_no, reason, received_at);
ALTER INDEX public.reading_by_batch ATTACH PARTITION public.reading_2026_11_batch_no_idx;
ALTER INDEX public.reading_by_point ATTACH PARTITION public.reading_2026_11_point_no_measured_at_idx;
CREATE TRIGGER audit_stays BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit FOR EACH STATEMENT EXECUTE FUNCTION public.audit_stays();
CREATE TRIGGER event_waits AFTER INSERT ON public.event FOR EACH ROW WHEN ((NOT new.historical)) EXECUTE FUNCTION public.event_waits();
CREATE TRIGGER keep_history AFTER DELETE OR UPDATE ON public.emission FOR EACH ROW WHEN ((old.revision > 0)) EXECUTE FUNCTION public.keep_emission();
CREATE TRIGGER keep_history AFTER DELETE OR UPDATE ON public.hour_record FOR EACH ROW EXECUTE FUNCTION public.keep_hour_record();
CREATE TRIGGER keep_history AFTER DELETE OR UPDATE ON public."interval" FOR EACH ROW WHEN ((old.revision > 0)) EXECUTE FUNCTION public.keep_interval();
CREATE TRIGGER keep_history AFTER DELETE OR UPDATE ON public.kpi_value FOR EACH ROW WHEN ((old.revision > 0)) EXECUTE FUNCTION public.keep_kpi_value();
CREATE TRIGGER keep_history AFTER DELETE OR UPDATE ON public.ledger FOR EACH ROW EXECUTE FUNCTION public.keep_ledger();
CREATE TRIGGER keep_history AFTER DELETE OR UPDATE ON public.regime_hour FOR EACH ROW EXECUTE FUNCTION public.keep_regime_hour();
CREATE TRIGGER note_inserted AFTER INSERT ON public.emission REFERENCING NEW TABLE AS rows_said FOR EACH STATEMENT EXECUTE FUNCTION public.note_emission();
CREATE TRIGGER note_inserted AFTER INSERT ON public."interval" REFERENCING NEW TABLE AS rows_said FOR EACH STATEMENT EXECUTE FUNCTION public.note_interval();
CREATE TRIGGER note_inserted AFTER INSERT ON public.kpi_value REFERENCING NEW TABLE AS rows_said FOR EACH STATEMENT EXECUTE FUNCTION public.note_kpi_value();
CREATE TRIGGER note_said AFTER INSERT OR UPDATE ON public.analyser_test FOR EACH STATEMENT EXECUTE FUNCTION public.note_table('analyser_test');
CREATE TRIGGER note_said AFTER INSERT OR UPDATE ON public.declaration FOR EACH STATEMENT EXECUTE FUNCTION public.note_table('declaration');
CREATE TRIGGER note_said AFTER INSERT OR UPDATE ON public.document FOR EACH STATEMENT EXECUTE FUNCTION public.note_table('document');
CREATE TRIGGER note_said AFTER INSERT OR UPDATE ON public.document_piece FOR EACH STATEMENT EXECUTE FUNCTION public.note_table('document_piece');
CREATE TRIGGER note_said AFTER INSERT OR UPDATE ON public.frontier_history FOR EACH STATEMENT EXECUTE FUNCTION public.note_table('frontier_history');
CREATE TRIGGER note_said AFTER INSERT OR UPDATE ON public.gap_fill FOR EACH STATEMENT EXECUTE FUNCTION public.note_table('gap_fill');
CREATE TRIGGER note_said AFTER INSERT OR UPDATE ON public.hour_record FOR EACH STATEMENT EXECUTE FUNCTION public.note_table('hour_record');
CREATE TRIGGER note_said AFTER INSERT OR UPDATE ON public.ledger FOR EACH STATEMENT EXECUTE FUNCTION public.note_table('ledger');
CREATE TRIGGER note_said AFTER INSERT OR UPDATE ON public.mes_statement FOR EACH STATEMENT EXECUTE FUNCTION public.note_table('mes_statement');
CREATE TRIGGER note_said AFTER INSERT OR UPDATE ON public.order_footprint FOR EACH STATEMENT EXECUTE FUNCTION public.note_table('order_footprint');
CREATE TRIGGER note_said AFTER INSERT OR UPDATE ON public.period_kpi FOR EACH STATEMENT EXECUTE FUNCTION public.note_table('period_kpi');
CREATE TRIGGER note_said AFTER INSERT OR UPDATE ON public.period_point FOR EACH STATEMENT EXECUTE FUNCTION public.note_table('period_point');
CREATE TRIGGER note_said AFTER INSERT OR UPDATE ON public.period_regime FOR EACH STATEMENT EXECUTE FUNCTION public.note_table('period_regime');
CREATE TRIGGER note_said AFTER INSERT OR UPDATE ON public.period_seal FOR EACH STATEMENT EXECUTE FUNCTION public.note_table('period_seal');
CREATE TRIGGER note_said AFTER INSERT OR UPDATE ON public.period_source FOR EACH STATEMENT EXECUTE FUNCTION public.note_table('period_source');
CREATE TRIGGER note_said AFTER INSERT OR UPDATE ON public.regime_hour FOR EACH STATEMENT EXECUTE FUNCTION public.note_table('regime_hour');
CREATE TRIGGER note_updated AFTER UPDATE ON public.emission REFERENCING NEW TABLE AS rows_said FOR EACH STATEMENT EXECUTE FUNCTION public.note_emission();
CREATE TRIGGER note_updated AFTER UPDATE ON public."interval" REFERENCING NEW TABLE AS rows_said FOR EACH STATEMENT EXECUTE FUNCTION public.note_interval();
CREATE TRIGGER note_updated AFTER UPDATE ON public.kpi_value REFERENCING NEW TABLE AS rows_said FOR EACH STATEMENT EXECUTE FUNCTION public.note_kpi_value();
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
ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_succeeds_fkey FOREIGN KEY (succeeds) REFERENCES public.api_key(key_no);
ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_site_no_fkey FOREIGN KEY (site_no) REFERENCES public.site(site_no);
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
ALTER TABLE ONLY public.mes_statement
    ADD CONSTRAINT mes_statement_site_no_fkey FOREIGN KEY (site_no) REFERENCES public.site(site_no);
ALTER TABLE ONLY public.order_due
    ADD CONSTRAINT order_due_site_no_fkey FOREIGN KEY (site_no) REFERENCES public.site(site_no);
ALTER TABLE ONLY public.order_footprint
    ADD CONSTRAINT order_footprint_site_no_fkey FOREIGN KEY (site_no) REFERENCES public.site(site_no);
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
GRANT USAGE ON SCHEMA board TO stackwatt_read;
REVOKE ALL ON FUNCTION board.grant_read(reader name) FROM PUBLIC;
GRANT SELECT ON TABLE board.alert TO stackwatt_read;
GRANT SELECT ON TABLE board.site TO stackwatt_read;
GRANT SELECT ON TABLE board.plan TO stackwatt_read;
GRANT SELECT ON TABLE board.benchmark TO stackwatt_read;
GRANT SELECT ON TABLE board.emission_interval TO stackwatt_read;
GRANT SELECT ON TABLE board.instrument TO stackwatt_read;
GRANT SELECT ON TABLE board.kpi TO stackwatt_read;
GRANT SELECT ON TABLE board.kpi_interval TO stackwatt_read;
GRANT SELECT ON TABLE board.kpi_now TO stackwatt_read;
GRANT SELECT ON TABLE board.period TO stackwatt_read;
GRANT SELECT ON TABLE board.point TO stackwatt_read;
GRANT SELECT ON TABLE board.point_day TO stackwatt_read;
GRANT SELECT ON TABLE board.point_hour TO stackwatt_read;
GRANT SELECT ON TABLE board.rejected TO stackwatt_read;
