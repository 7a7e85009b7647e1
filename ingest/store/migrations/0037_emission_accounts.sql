-- Which account a source stands in, by which basis scope 2 is told, and where electricity came from: what may never be added up.

CREATE OR REPLACE VIEW board.emission_interval AS
SELECT p.site, s.id AS source, concat_ws('/', p.site, d ->> 'unit') AS unit_path, d ->> 'name' AS name,
       (d ->> 'scope')::int AS scope,
       d ->> 'category' AS category, d ->> 'gas' AS gas, d ->> 'route' AS route, e.start_at,
       CASE WHEN e.mass_kg <> ALL('{NaN,Infinity,-Infinity}') THEN e.mass_kg END AS mass_kg, e.covered_us, e.valid_us,
       e.substituted_us, e.quality, e.known_at,
       CASE WHEN EXISTS (SELECT FROM jsonb_array_elements(p.body -> 'boundaries') b WHERE b -> 'attributed' ? (d ->> 'id'))
            THEN 'attributed'
            ELSE coalesce(d ->> 'account', CASE WHEN d ->> 'category' = 'products' THEN 'fixed' ELSE 'gross' END)
       END AS account,
       d ->> 'basis' AS basis, d ->> 'supply' AS supply
  FROM board.plan p
 CROSS JOIN LATERAL jsonb_array_elements(p.body -> 'sources') d
  JOIN public.source s ON s.site_no = p.site_no AND s.id = p.site || '/' || (d ->> 'id')
  JOIN public.emission e USING (source_no)
 WHERE e.revision > 0;
COMMENT ON VIEW board.emission_interval IS
    'Closed intervals of each source. Never add routes, accounts, bases or supplies: they tell one emission in several ways, or what is not netted';
