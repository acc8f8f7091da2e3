--
-- PostgreSQL database cluster dump
--

\restrict vA4CogTAl43nUGcx1deqAZK5D3KzG9NnFhZCIxMPeAaV8y4RLo6u0LWlyI7Mx6o

SET default_transaction_read_only = off;

SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;

--
-- Roles
--

CREATE ROLE postgres;
ALTER ROLE postgres WITH SUPERUSER INHERIT CREATEROLE CREATEDB LOGIN REPLICATION BYPASSRLS;

--
-- User Configurations
--








\unrestrict vA4CogTAl43nUGcx1deqAZK5D3KzG9NnFhZCIxMPeAaV8y4RLo6u0LWlyI7Mx6o

--
-- PostgreSQL database cluster dump complete
--

