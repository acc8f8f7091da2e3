--
-- PostgreSQL database cluster dump
--

\restrict g9YddzxYi8Px4XImCtrEo9aQVtj9TjOZLTOWfritWdScSGheRO0kgasgAYQKzHF

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








\unrestrict g9YddzxYi8Px4XImCtrEo9aQVtj9TjOZLTOWfritWdScSGheRO0kgasgAYQKzHF

--
-- PostgreSQL database cluster dump complete
--

