-- playbook: no-transaction
CREATE INDEX CONCURRENTLY people_name ON people (name);
