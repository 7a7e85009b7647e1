-- What dashboards read: views with stable names in a schema of their own, and a role that sees nothing else. The tables behind
-- them may change; the views stay. Views run with their owner's rights, so who reads them needs none on the tables.
-- What the plant file says is read from the newest plan version, never copied. Sums here are the database's, in its order of
-- addition; the service's are correctly rounded: they may differ in the last digit of a double.

CREATE SCHEMA board;
COMMENT ON SCHEMA board IS 'Views for dashboards: stable names, read by stackwatt_read';

CREATE FUNCTION board.clock() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('stackwatt.board_now', true), '')::timestamptz, now())
$$;
COMMENT ON FUNCTION board.clock() IS 'Now, or the instant that a session says in stackwatt.board_now';

CREATE FUNCTION board.combine(kind text, a double precision, b double precision, covered_us numeric)
RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN covered_us <= 0 OR a = ANY('{NaN,Infinity,-Infinity}') OR b = ANY('{NaN,Infinity,-Infinity}') THEN NULL
                WHEN kind IN ('ratio', 'rate', 'demand') THEN CASE WHEN b > 0 THEN a / b END
                WHEN kind = 'total' THEN a
                WHEN kind = 'power_factor' THEN a / nullif(sqrt(a * a + b * b), 0)
           END
$$;
COMMENT ON FUNCTION board.combine IS 'The figure of two sums, as ingest.methods.figures.combine; a load factor is not made of sums: NULL';

CREATE VIEW board.site AS
SELECT s.site_no, s.id AS site, p.body ->> 'name' AS name, p.body ->> 'time_zone' AS time_zone, p.body ->> 'clock' AS clock,
       p.body ->> 'currency' AS currency, p.version AS plan_version, c.batch_no, c.known_at AS committed_at, c.watermark,
       CASE WHEN p.body ->> 'clock' <> 'replay' THEN extract(epoch FROM board.clock() - c.known_at)::float8 END AS commit_age_s
  FROM public.site s
  JOIN LATERAL (SELECT version, body FROM plan_version WHERE site_no = s.site_no ORDER BY version DESC LIMIT 1) p ON true
  LEFT JOIN LATERAL (SELECT batch_no, known_at, watermark FROM ingest_commit WHERE site_no = s.site_no
                      ORDER BY batch_no DESC LIMIT 1) c ON true;
COMMENT ON VIEW board.site IS 'A row a site: its newest plan version and its last commit';

CREATE VIEW board.plan AS
SELECT s.site_no, s.site, p.body FROM board.site s JOIN plan_version p ON p.site_no = s.site_no AND p.version = s.plan_version;
COMMENT ON VIEW board.plan IS 'The plant file in force, as JSON';

CREATE VIEW board.kpi AS
SELECT k.kpi_no, p.site, k.id, d ->> 'name' AS name, d ->> 'kind' AS kind, d ->> 'unit' AS unit,
       coalesce((d ->> 'stale_after')::interval, CASE WHEN p.body ->> 'clock' = 'live' THEN interval '5 minutes' END)
           AS stale_after, (d ->> 'block')::interval AS block
  FROM board.plan p
 CROSS JOIN LATERAL jsonb_array_elements(p.body -> 'kpis') d
  JOIN public.kpi k ON k.site_no = p.site_no AND k.id = p.site || '/' || (d ->> 'id');
COMMENT ON VIEW board.kpi IS 'The KPIs of the plant files in force';

CREATE VIEW board.kpi_now AS
SELECT k.site, k.id, k.name, k.kind, k.unit, l.window_us, l.from_at, l.to_at,
       CASE WHEN l.value <> ALL('{NaN,Infinity,-Infinity}') AND NOT f.is_stale THEN l.value END AS value,
       CASE WHEN f.is_stale AND l.reason IS NULL THEN 'stale' ELSE l.reason END AS reason,
       coalesce(l.valid_us::float8 / nullif((extract(epoch FROM l.to_at - l.from_at) * 1000000)::bigint, 0), 0) AS valid_share,
       f.data_age_s
  FROM board.kpi k
  JOIN board.site s USING (site)
  JOIN kpi_latest l USING (kpi_no)
 CROSS JOIN LATERAL (
       SELECT s.clock <> 'replay' AND k.stale_after IS NOT NULL AND board.clock() - l.to_at > k.stale_after AS is_stale,
              CASE WHEN s.clock <> 'replay' THEN greatest(0, extract(epoch FROM board.clock() - l.to_at))::float8 END AS data_age_s
       ) f;
COMMENT ON VIEW board.kpi_now IS 'Each KPI in each live window, as /v1/kpis/latest; value NULL for a reason';

CREATE VIEW board.kpi_interval AS
SELECT k.site, k.id, k.name, k.kind, k.unit, v.start_at, v.a, v.b, v.covered_us, v.valid_us, v.substituted_us, v.quality,
       v.revision, v.known_at
  FROM board.kpi k JOIN kpi_value v USING (kpi_no) WHERE v.revision > 0;
COMMENT ON VIEW board.kpi_interval IS 'The two sums of each closed interval of a KPI: sum both, then board.combine them';

CREATE VIEW board.benchmark AS
SELECT p.site, p.site || '/' || (d ->> 'id') AS id, p.site || '/' || (d ->> 'kpi') AS kpi, (d ->> 'value')::float8 AS value,
       d ->> 'unit' AS unit, d ->> 'level' AS level, d ->> 'better' AS better, d ->> 'source' AS source, d ->> 'trust' AS trust
  FROM board.plan p CROSS JOIN LATERAL jsonb_array_elements(p.body -> 'benchmarks') d;
COMMENT ON VIEW board.benchmark IS 'Benchmarks of the plant file, as written: before corrections';

CREATE VIEW board.point AS
SELECT t.point_no, p.site, t.id, regexp_replace(t.id, '/[^/]*$', '') AS unit_path, d ->> 'name' AS name, d ->> 'kind' AS kind,
       d ->> 'unit' AS unit, d ->> 'carrier' AS carrier, d ->> 'product' AS product, (d ->> 'resolution')::float8 AS resolution
  FROM board.plan p
 CROSS JOIN LATERAL jsonb_array_elements(p.body -> 'points') d
  JOIN public.point t ON t.site_no = p.site_no AND t.id = p.site || '/' || (d ->> 'id');
COMMENT ON VIEW board.point IS 'The points of the plant files in force; unit_path is where a point stands';

CREATE VIEW board.point_hour AS
SELECT p.site, p.id, p.unit_path, p.name, p.kind, p.unit, p.carrier, p.product, h.start_at,
       coalesce(h.amount_count * p.resolution, h.amount) AS amount, h.mean, h.min, h.max,
       h.covered_us / 3.6e9::float8 AS covered_share, h.valid_us / 3.6e9::float8 AS valid_share,
       h.substituted_us / 3.6e9::float8 AS substituted_share, h.quality, h.known_at
  FROM board.point p JOIN interval_hour h USING (point_no);
COMMENT ON VIEW board.point_hour IS 'Hours of a point; amount is in its unit for a counter or delta, in unit times hours for a gauge';

CREATE VIEW board.point_day AS
SELECT p.site, p.id, p.unit_path, p.name, p.kind, p.unit, p.carrier, p.product, d.start_at,
       coalesce(d.amount_count * p.resolution, d.amount) AS amount, d.mean, d.min, d.max, d.covered_us, d.valid_us,
       d.substituted_us, d.quality, d.known_at
  FROM board.point p JOIN interval_day d USING (point_no);
COMMENT ON VIEW board.point_day IS 'Days of a point, in the zone of the site';

CREATE VIEW board.emission_interval AS
SELECT p.site, s.id AS source, concat_ws('/', p.site, d ->> 'unit') AS unit_path, d ->> 'name' AS name,
       (d ->> 'scope')::int AS scope,
       d ->> 'category' AS category, d ->> 'gas' AS gas, d ->> 'route' AS route, e.start_at,
       CASE WHEN e.mass_kg <> ALL('{NaN,Infinity,-Infinity}') THEN e.mass_kg END AS mass_kg, e.covered_us, e.valid_us,
       e.substituted_us, e.quality, e.known_at
  FROM board.plan p
 CROSS JOIN LATERAL jsonb_array_elements(p.body -> 'sources') d
  JOIN public.source s ON s.site_no = p.site_no AND s.id = p.site || '/' || (d ->> 'id')
  JOIN public.emission e USING (source_no)
 WHERE e.revision > 0;
COMMENT ON VIEW board.emission_interval IS 'Closed intervals of each source. Routes measured and calculated tell one emission twice: never add them';

CREATE VIEW board.alert AS
SELECT s.id AS site, a.episode, a.rule, a.severity, a.subject_kind, a.subject_id, a.unit_path, a.pending_at, a.fired_at, a.told_at,
       a.mute, a.resolved_at, CASE WHEN a.resolved_at IS NULL THEN 'firing' ELSE 'resolved' END AS state,
       a.data ->> 'cause' AS cause, (a.data ->> 'value')::float8 AS value, (a.data ->> 'limit')::float8 AS "limit",
       a.data ->> 'unit' AS unit, (SELECT min(at) FROM alert_act WHERE episode = a.episode AND kind = 'acknowledge') AS acknowledged_at
  FROM alert_episode a JOIN public.site s USING (site_no);
COMMENT ON VIEW board.alert IS 'Episodes of alerts, as /v1/alerts';

CREATE VIEW board.instrument AS
SELECT p.site, p.site || '/' || (d ->> 'id') AS id, d ->> 'kind' AS kind, d ->> 'accuracy_class' AS accuracy_class,
       d ->> 'serial' AS serial, (d ->> 'calibrated_on')::date AS calibrated_on, (d ->> 'due_on')::date AS due_on
  FROM board.plan p CROSS JOIN LATERAL jsonb_array_elements(p.body -> 'instruments') d;
COMMENT ON VIEW board.instrument IS 'Instruments of the plant file and their calibrations';

CREATE VIEW board.rejected AS
SELECT s.id AS site, r.reason, r.day, r.total FROM rejected_count r JOIN public.site s USING (site_no);
COMMENT ON VIEW board.rejected IS 'Readings or bodies refused, by reason and day';

CREATE VIEW board.period AS
SELECT s.id AS site, p.seal_no, p.kind, p.edition, p.from_at, p.to_at, p.sealed_by, p.sealed_at
  FROM period_seal p JOIN public.site s USING (site_no);
COMMENT ON VIEW board.period IS 'Sealed periods';

CREATE FUNCTION board.grant_read(reader name) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA board TO %I', reader);
    EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA board TO %I', reader);
END
$$;
REVOKE EXECUTE ON FUNCTION board.grant_read(name) FROM PUBLIC;
COMMENT ON FUNCTION board.grant_read(name) IS 'For the owner: lets a role read the views; again after a migration that adds one';

-- A role belongs to the whole server: another database may have made it, or is making it now. Who may not make one is told
-- what is left to do. How the role logs in is for deployment to say.
DO $$
BEGIN
    BEGIN
        CREATE ROLE stackwatt_read NOLOGIN;
    EXCEPTION
        WHEN duplicate_object OR unique_violation THEN NULL;
        WHEN insufficient_privilege THEN
            RAISE WARNING 'stackwatt_read cannot be made by %: make it, then SELECT board.grant_read(''stackwatt_read'')', current_user;
    END;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'stackwatt_read') THEN
        PERFORM board.grant_read('stackwatt_read');
    END IF;
END
$$;
