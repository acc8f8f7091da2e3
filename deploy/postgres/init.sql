-- Run once, when the database is made.
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
