-- Run once by the database's image, when its volume is new. stackwatt owns its database and is no superuser; grafana reads
-- the views of schema board and nothing else (the migration of the views grants them to stackwatt_read).
\set ON_ERROR_STOP on
\set owner_password `cat /run/secrets/db_password`
\set reader_password `cat /run/secrets/grafana_db_password`

CREATE ROLE stackwatt LOGIN PASSWORD :'owner_password';
CREATE ROLE stackwatt_read NOLOGIN;
CREATE ROLE grafana LOGIN PASSWORD :'reader_password' IN ROLE stackwatt_read CONNECTION LIMIT 20;
ALTER ROLE grafana SET default_transaction_read_only = on;
ALTER ROLE grafana SET statement_timeout = '30s';
CREATE DATABASE stackwatt OWNER stackwatt TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C';
REVOKE ALL ON DATABASE stackwatt FROM PUBLIC;
GRANT CONNECT ON DATABASE stackwatt TO grafana;
