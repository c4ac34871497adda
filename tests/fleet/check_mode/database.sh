# What the scenarios of database.yml find: databases, roles, schemas and privileges.
set -e
bin=$(dirname "$(readlink /proc/"$(head -n 1 /srv/data/postmaster.pid)"/exe)")
printf 'local all all trust\n' > /run/hba; cat /srv/data/pg_hba.conf >> /run/hba; cat /run/hba > /srv/data/pg_hba.conf; rm /run/hba
kill -HUP "$(head -n 1 /srv/data/postmaster.pid)"
sleep 0.3
sql() { "$bin/psql" -h /run/postgresql -U postgres -XAtq -v ON_ERROR_STOP=1 -d "$1" -c "$2"; }
# Nothing writes on its own.
sql postgres 'ALTER SYSTEM SET autovacuum = off'; sql postgres 'SELECT pg_reload_conf()' > /dev/null
sql postgres "CREATE ROLE present LOGIN PASSWORD 'word' CREATEDB VALID UNTIL '2040-01-01'"
sql postgres "CREATE ROLE plain; CREATE ROLE member; CREATE ROLE staff; GRANT staff TO member; CREATE ROLE unwanted; CREATE ROLE configured; ALTER ROLE configured SET work_mem = '8MB'"
sql postgres 'CREATE ROLE owns'; sql postgres 'CREATE DATABASE owned OWNER owns'
for database in shop unwanted renamed migrated baseline broken; do sql postgres "CREATE DATABASE $database"; done
sql postgres "COMMENT ON DATABASE shop IS 'A shop'"
sql shop "CREATE TABLE goods (id serial PRIMARY KEY, name text); INSERT INTO goods (name) VALUES ('a'), ('b'); CREATE VIEW names AS SELECT name FROM goods"
sql shop 'CREATE SCHEMA present AUTHORIZATION plain; CREATE SCHEMA unwanted; CREATE SCHEMA full_schema; CREATE TABLE full_schema.t (a int)'
sql shop 'GRANT SELECT ON goods TO plain; GRANT INSERT ON goods TO member; GRANT USAGE ON SCHEMA present TO member'
sql shop 'CREATE FUNCTION note() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$'
sql baseline 'CREATE TABLE people (name text)'
