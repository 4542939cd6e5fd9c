--
-- PostgreSQL database dump
--


-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: alert; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.alert (
    id text NOT NULL COLLATE pg_catalog."C",
    flip text NOT NULL COLLATE pg_catalog."C",
    monitor text NOT NULL COLLATE pg_catalog."C",
    channel text NOT NULL COLLATE pg_catalog."C",
    notice text NOT NULL COLLATE pg_catalog."C",
    created_us bigint NOT NULL,
    next_try_us bigint,
    tries bigint DEFAULT 0 NOT NULL,
    fate text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    error text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C"
);


--
-- Name: api_key; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.api_key (
    id text NOT NULL COLLATE pg_catalog."C",
    hash text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    scope text NOT NULL COLLATE pg_catalog."C",
    monitors text NOT NULL COLLATE pg_catalog."C",
    created_us bigint NOT NULL,
    revoked_us bigint
);


--
-- Name: flip; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.flip (
    id text NOT NULL COLLATE pg_catalog."C",
    monitor text NOT NULL COLLATE pg_catalog."C",
    number bigint NOT NULL,
    previous text NOT NULL COLLATE pg_catalog."C",
    status text NOT NULL COLLATE pg_catalog."C",
    reason text NOT NULL COLLATE pg_catalog."C",
    time_us bigint NOT NULL,
    noticed_us bigint NOT NULL,
    fate text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    remind_us bigint
);


--
-- Name: mark; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.mark (
    name text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL COLLATE pg_catalog."C"
);


--
-- Name: monitor; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.monitor (
    key text NOT NULL COLLATE pg_catalog."C",
    declared text NOT NULL COLLATE pg_catalog."C",
    settled text DEFAULT '[]'::text NOT NULL COLLATE pg_catalog."C",
    created_us bigint NOT NULL,
    judged text NOT NULL COLLATE pg_catalog."C",
    pauses text DEFAULT '[]'::text NOT NULL COLLATE pg_catalog."C",
    status text DEFAULT 'new'::text NOT NULL COLLATE pg_catalog."C",
    watched bigint DEFAULT 0 NOT NULL,
    source text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    next_look_us bigint,
    version bigint DEFAULT 0 NOT NULL
);


--
-- Name: ping; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.ping (
    id text NOT NULL COLLATE pg_catalog."C",
    monitor text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    run_id text NOT NULL COLLATE pg_catalog."C",
    time_us bigint NOT NULL,
    fields text NOT NULL COLLATE pg_catalog."C",
    body bytea NOT NULL
);


--
-- Name: radar_schema; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.radar_schema (
    version integer NOT NULL
);


--
-- Name: session; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.session (
    hash text NOT NULL COLLATE pg_catalog."C",
    api_key text NOT NULL COLLATE pg_catalog."C",
    expires_us bigint NOT NULL
);


--
-- Name: token; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.token (
    token text NOT NULL COLLATE pg_catalog."C",
    purpose text NOT NULL COLLATE pg_catalog."C",
    monitor text NOT NULL COLLATE pg_catalog."C"
);


--
-- Data for Name: alert; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.alert (id, flip, monitor, channel, notice, created_us, next_try_us, tries, fate, error) FROM stdin;
01a174a6-13c8-7d26-b172-0f7ed5f2bb39	01a174a6-13c8-787c-9744-4de7ad5c1550	night	chat	{"kind": "down", "monitor": "night", "name": "", "status": "down", "previous": "up", "reason": "missed", "since_us": 1792197600000000, "noticed_us": 1792958403528122, "expected": "a run at Sat 2026-10-17 02:30:00 CEST (Europe/Berlin), within 10 min (at 02:30 every day, by the clock of Europe/Berlin)", "happened": "no run began until Sat 2026-10-17 02:40:00 CEST (Europe/Berlin)", "last_run": {"run_id": "01a1421d-9f4f-78fb-85ea-52e1bb176a21", "started_us": 1792110600015152, "ended_us": 1792110603189273, "outcome": "success", "duration_s": 3.174051, "exit_code": 0, "signal": null, "reason": "", "cpu_s": 0.001168, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "", "output_bytes": 0, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show night", "radar monitors output night"], "tags": [], "tz": "Europe/Berlin", "previous_since_us": null}	1792958403528123	1793008846264580	2		http://chat.example/…: Name or service not known
01a177a6-de4b-7740-8801-d58934b44543	01a177a6-de4b-72c5-8575-0b77e3e1f162	overlap	pager	{"kind": "down", "monitor": "overlap", "name": "", "status": "down", "previous": "new", "reason": "failed", "since_us": 1792985410076040, "noticed_us": 1793008787019987, "expected": "its runs succeed", "happened": "a run failed", "last_run": {"run_id": "e2667531-dc27-5ee4-a81e-e7f66e3aa2c7", "started_us": 1792984810021474, "ended_us": 1792985410076040, "outcome": "fail", "duration_s": 600.054566, "exit_code": null, "signal": null, "reason": "", "cpu_s": null, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "copied 1 200 files\\r\\nWarnung: Gr\\u00f6\\u00dfe > 2 GB \\ud83d\\uddc4\\n\\u001b[32mdone\\u001b[0m\\n", "output_bytes": 63, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show overlap", "radar monitors output overlap"], "tags": [], "tz": "UTC", "previous_since_us": null}	1793008787019372	\N	1	delivered	
01a177a6-e6d7-79f0-bdcc-c8251338dae9	01a177a6-e5df-7f0f-952f-47e2e875cb25	invoices	chat	{"kind": "down", "monitor": "invoices", "name": "", "status": "down", "previous": "up", "reason": "failed", "since_us": 1792999810024463, "noticed_us": 1793008788959988, "expected": "its runs succeed", "happened": "a run failed: exit 3", "last_run": {"run_id": "01a17702-4599-7a7b-925e-cf886147a681", "started_us": 1792998010025125, "ended_us": 1792998010235471, "outcome": "fail", "duration_s": 0.210267, "exit_code": 3, "signal": null, "reason": "", "cpu_s": 0.001139, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "Traceback: ValueError: Rechnung \\u2116 7 fehlt\\n", "output_bytes": 44, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show invoices", "radar monitors output invoices"], "tags": [], "tz": "UTC", "previous_since_us": null}	1793008789207677	1793008789207676	0		
01a174a6-13c8-722d-9b54-de510a13fb3d	01a174a6-13c8-7229-9452-dc67eef7877b	mended	pager	{"kind": "down", "monitor": "mended", "name": "", "status": "down", "previous": "new", "reason": "hung", "since_us": 1792213500014242, "noticed_us": 1792958403528122, "expected": "a run that began ends, by Sat 2026-10-17 05:05:00 UTC", "happened": "it has not ended", "last_run": {"run_id": "01a14314-d08e-73b5-929f-3a393309c3a2", "started_us": 1792126800014242, "ended_us": 1792126800121256, "outcome": "success", "duration_s": 0.106916, "exit_code": 0, "signal": null, "reason": "", "cpu_s": 0.001368, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "run 16\\n", "output_bytes": 7, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show mended", "radar monitors output mended"], "tags": [], "tz": "UTC", "previous_since_us": null}	1792958403528122	\N	1	delivered	
01a174a6-13c8-757d-9419-302e3c9ed745	01a174a6-13c8-787c-9744-4de7ad5c1550	night	pager	{"kind": "down", "monitor": "night", "name": "", "status": "down", "previous": "up", "reason": "missed", "since_us": 1792197600000000, "noticed_us": 1792958403528122, "expected": "a run at Sat 2026-10-17 02:30:00 CEST (Europe/Berlin), within 10 min (at 02:30 every day, by the clock of Europe/Berlin)", "happened": "no run began until Sat 2026-10-17 02:40:00 CEST (Europe/Berlin)", "last_run": {"run_id": "01a1421d-9f4f-78fb-85ea-52e1bb176a21", "started_us": 1792110600015152, "ended_us": 1792110603189273, "outcome": "success", "duration_s": 3.174051, "exit_code": 0, "signal": null, "reason": "", "cpu_s": 0.001168, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "", "output_bytes": 0, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show night", "radar monitors output night"], "tags": [], "tz": "Europe/Berlin", "previous_since_us": null}	1792958403528122	\N	1	delivered	
01a177a6-e6d7-72a6-95a2-37def61741e8	01a177a6-e5df-7f0f-952f-47e2e875cb25	invoices	pager	{"kind": "down", "monitor": "invoices", "name": "", "status": "down", "previous": "up", "reason": "failed", "since_us": 1792999810024463, "noticed_us": 1793008788959988, "expected": "its runs succeed", "happened": "a run failed: exit 3", "last_run": {"run_id": "01a17702-4599-7a7b-925e-cf886147a681", "started_us": 1792998010025125, "ended_us": 1792998010235471, "outcome": "fail", "duration_s": 0.210267, "exit_code": 3, "signal": null, "reason": "", "cpu_s": 0.001139, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "Traceback: ValueError: Rechnung \\u2116 7 fehlt\\n", "output_bytes": 44, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show invoices", "radar monitors output invoices"], "tags": [], "tz": "UTC", "previous_since_us": null}	1793008789207676	\N	1	delivered	
01a177a6-dbaa-7e73-be5b-d826aba84722	01a177a6-dbaa-7051-94e3-f34ad08bd37b	invoices	chat	{"kind": "down", "monitor": "invoices", "name": "", "status": "down", "previous": "up", "reason": "missed", "since_us": 1792999810024463, "noticed_us": 1793008786346967, "expected": "a run at Mon 2026-10-26 07:00:10 UTC, within 30 min (every 6 h)", "happened": "no run began until Mon 2026-10-26 07:30:10 UTC", "last_run": {"run_id": "01a175b8-ae98-7cf6-a1d5-51313e6d817d", "started_us": 1792976410024463, "ended_us": 1792976410075562, "outcome": "success", "duration_s": 0.051019, "exit_code": 0, "signal": null, "reason": "", "cpu_s": 0.001548, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "all sent\\n", "output_bytes": 9, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show invoices", "radar monitors output invoices"], "tags": [], "tz": "UTC", "previous_since_us": null}	1793008786346968	1793008819666168	1		http://chat.example/…: Name or service not known
01a174a6-13c8-73db-9091-929eaa85bcd3	01a174a6-1348-7662-8e2d-34b323ff8801	backup	chat	{"kind": "down", "monitor": "backup", "name": "Z\\u00fcrich: n\\u00e4chtliche Sicherung \\u2713", "status": "down", "previous": "new", "reason": "missed", "since_us": 1792197300000000, "noticed_us": 1792958403400670, "expected": "a run at Sat 2026-10-17 02:05:00 CEST (Europe/Berlin), within 30 min (at 02:05 every day, by the clock of Europe/Berlin)", "happened": "no run began until Sat 2026-10-17 02:35:00 CEST (Europe/Berlin)", "last_run": {"run_id": "10b48cb9-9fbe-54e1-a77c-373f43c9fcd2", "started_us": 1792109100027221, "ended_us": 1792111440032964, "outcome": "success", "duration_s": 2340.005743, "exit_code": null, "signal": null, "reason": "", "cpu_s": null, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "copied 1 200 files\\r\\nWarnung: Gr\\u00f6\\u00dfe > 2 GB \\ud83d\\uddc4\\n\\u001b[32mdone\\u001b[0m\\n", "output_bytes": 63, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show backup", "radar monitors output backup"], "tags": ["nightly", "db"], "tz": "Europe/Berlin", "previous_since_us": null}	1792958403528123	1793008845575785	2		http://chat.example/…: Name or service not known
01a174a6-13c8-75df-a3cd-4a518287b67f	01a174a6-1348-7662-8e2d-34b323ff8801	backup	pager	{"kind": "down", "monitor": "backup", "name": "Z\\u00fcrich: n\\u00e4chtliche Sicherung \\u2713", "status": "down", "previous": "new", "reason": "missed", "since_us": 1792197300000000, "noticed_us": 1792958403400670, "expected": "a run at Sat 2026-10-17 02:05:00 CEST (Europe/Berlin), within 30 min (at 02:05 every day, by the clock of Europe/Berlin)", "happened": "no run began until Sat 2026-10-17 02:35:00 CEST (Europe/Berlin)", "last_run": {"run_id": "10b48cb9-9fbe-54e1-a77c-373f43c9fcd2", "started_us": 1792109100027221, "ended_us": 1792111440032964, "outcome": "success", "duration_s": 2340.005743, "exit_code": null, "signal": null, "reason": "", "cpu_s": null, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "copied 1 200 files\\r\\nWarnung: Gr\\u00f6\\u00dfe > 2 GB \\ud83d\\uddc4\\n\\u001b[32mdone\\u001b[0m\\n", "output_bytes": 63, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show backup", "radar monitors output backup"], "tags": ["nightly", "db"], "tz": "Europe/Berlin", "previous_since_us": null}	1792958403528122	\N	1	delivered	
01a174a6-13c8-7871-aaa9-693f6525cf7e	01a174a6-13c8-7c18-987d-d1d30c35e2d0	settled	chat	{"kind": "down", "monitor": "settled", "name": "", "status": "down", "previous": "up", "reason": "missed", "since_us": 1792119900019083, "noticed_us": 1792958403528122, "expected": "a run at Fri 2026-10-16 03:00:00 UTC, within 5 min (every 1 h)", "happened": "no run began until Fri 2026-10-16 03:05:00 UTC", "last_run": {"run_id": "01a14270-0513-7276-9257-158fc092d709", "started_us": 1792116000019083, "ended_us": 1792116000234668, "outcome": "success", "duration_s": 0.2155, "exit_code": 0, "signal": null, "reason": "", "cpu_s": 0.001111, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "", "output_bytes": 0, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show settled", "radar monitors output settled"], "tags": [], "tz": "UTC", "previous_since_us": null}	1792958403528123	1793008846740477	2		http://chat.example/…: Name or service not known
01a174a6-160b-7194-8cec-ff46d51a3d96	01a174a6-160b-7772-a7ce-43e66508647c	import	chat	{"kind": "down", "monitor": "import", "name": "", "status": "down", "previous": "up", "reason": "missed", "since_us": 1792224300000000, "noticed_us": 1792958404107267, "expected": "a run at Sat 2026-10-17 08:00:00 UTC, within 5 min (at 08:00 every day, by the clock of UTC)", "happened": "no run began until Sat 2026-10-17 08:05:00 UTC", "last_run": {"run_id": "5b74e015-4ce4-5079-bb74-ce6373a1c5b8", "started_us": 1792137600064455, "ended_us": 1792138200038984, "outcome": "success", "duration_s": 599.974529, "exit_code": null, "signal": null, "reason": "", "cpu_s": null, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "copied 1 200 files\\r\\nWarnung: Gr\\u00f6\\u00dfe > 2 GB \\ud83d\\uddc4\\n\\u001b[32mdone\\u001b[0m\\n", "output_bytes": 63, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show import", "radar monitors output import"], "tags": [], "tz": "UTC", "previous_since_us": null}	1792958404107268	1793008846998996	2		http://chat.example/…: Name or service not known
01a174a6-160b-7cca-a7bf-62e913379e7d	01a174a6-160b-7772-a7ce-43e66508647c	import	pager	{"kind": "down", "monitor": "import", "name": "", "status": "down", "previous": "up", "reason": "missed", "since_us": 1792224300000000, "noticed_us": 1792958404107267, "expected": "a run at Sat 2026-10-17 08:00:00 UTC, within 5 min (at 08:00 every day, by the clock of UTC)", "happened": "no run began until Sat 2026-10-17 08:05:00 UTC", "last_run": {"run_id": "5b74e015-4ce4-5079-bb74-ce6373a1c5b8", "started_us": 1792137600064455, "ended_us": 1792138200038984, "outcome": "success", "duration_s": 599.974529, "exit_code": null, "signal": null, "reason": "", "cpu_s": null, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "copied 1 200 files\\r\\nWarnung: Gr\\u00f6\\u00dfe > 2 GB \\ud83d\\uddc4\\n\\u001b[32mdone\\u001b[0m\\n", "output_bytes": 63, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show import", "radar monitors output import"], "tags": [], "tz": "UTC", "previous_since_us": null}	1792958404107267	\N	1	delivered	
01a174a6-2777-7366-bb49-a0eed19f2e36	01a174a6-2777-7bb5-9499-5ff703da8368	holiday	pager	{"kind": "down", "monitor": "holiday", "name": "", "status": "down", "previous": "up", "reason": "missed", "since_us": 1792663500027933, "noticed_us": 1792958408567527, "expected": "a run at Thu 2026-10-22 10:00:00 UTC, within 5 min (every 1 d)", "happened": "no run began until Thu 2026-10-22 10:05:00 UTC", "last_run": {"run_id": "01a15de7-451b-7723-a9ec-4190b50475f6", "started_us": 1792576800027933, "ended_us": 1792576800035767, "outcome": "success", "duration_s": 0.007745, "exit_code": 0, "signal": null, "reason": "", "cpu_s": 0.001186, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "", "output_bytes": 0, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show holiday", "radar monitors output holiday"], "tags": [], "tz": "UTC", "previous_since_us": null}	1792958408567527	\N	1	delivered	
01a174a6-13c8-75a4-8f7d-6739d419508a	01a174a6-13c8-7229-9452-dc67eef7877b	mended	chat	{"kind": "down", "monitor": "mended", "name": "", "status": "down", "previous": "new", "reason": "hung", "since_us": 1792213500014242, "noticed_us": 1792958403528122, "expected": "a run that began ends, by Sat 2026-10-17 05:05:00 UTC", "happened": "it has not ended", "last_run": {"run_id": "01a14314-d08e-73b5-929f-3a393309c3a2", "started_us": 1792126800014242, "ended_us": 1792126800121256, "outcome": "success", "duration_s": 0.106916, "exit_code": 0, "signal": null, "reason": "", "cpu_s": 0.001368, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "run 16\\n", "output_bytes": 7, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show mended", "radar monitors output mended"], "tags": [], "tz": "UTC", "previous_since_us": null}	1792958403528123	1793008845921210	2		http://chat.example/…: Name or service not known
01a177a6-dbaa-7011-a3a1-b1ae34d969c4	01a177a6-dbaa-7051-94e3-f34ad08bd37b	invoices	pager	{"kind": "down", "monitor": "invoices", "name": "", "status": "down", "previous": "up", "reason": "missed", "since_us": 1792999810024463, "noticed_us": 1793008786346967, "expected": "a run at Mon 2026-10-26 07:00:10 UTC, within 30 min (every 6 h)", "happened": "no run began until Mon 2026-10-26 07:30:10 UTC", "last_run": {"run_id": "01a175b8-ae98-7cf6-a1d5-51313e6d817d", "started_us": 1792976410024463, "ended_us": 1792976410075562, "outcome": "success", "duration_s": 0.051019, "exit_code": 0, "signal": null, "reason": "", "cpu_s": 0.001548, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "all sent\\n", "output_bytes": 9, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show invoices", "radar monitors output invoices"], "tags": [], "tz": "UTC", "previous_since_us": null}	1793008786346967	\N	1	delivered	
01a174a6-20d1-7533-abbb-755e9f05f4d2	01a174a6-20ba-75ac-ba12-d40f765a232d	crashed	pager	{"kind": "down", "monitor": "crashed", "name": "", "status": "down", "previous": "new", "reason": "failed", "since_us": 1792317600210094, "noticed_us": 1792958406842406, "expected": "its runs succeed", "happened": "a run failed: signal 9", "last_run": {"run_id": "01a14e74-3111-7cae-84c7-475f75123dc1", "started_us": 1792317600017129, "ended_us": 1792317600210094, "outcome": "fail", "duration_s": 0.192877, "exit_code": null, "signal": 9, "reason": "", "cpu_s": 0.001347, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "half\\n", "output_bytes": 5, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show crashed", "radar monitors output crashed"], "tags": [], "tz": "UTC", "previous_since_us": null}	1792958406865362	\N	1	delivered	
01a174a6-29d3-795f-8f0d-b5a381821c4f	01a174a6-298d-7864-b4e2-67706fa3818e	mended	chat	{"kind": "up", "monitor": "mended", "name": "", "status": "up", "previous": "down", "reason": "", "since_us": 1792645200447226, "noticed_us": 1792958409101511, "expected": "every 1 d", "happened": "a run succeeded", "last_run": {"run_id": "01a161fa-f888-7149-ae85-7da3b49c9cf7", "started_us": 1792645200008223, "ended_us": 1792645200447226, "outcome": "success", "duration_s": 0.438853, "exit_code": 0, "signal": null, "reason": "", "cpu_s": 0.001213, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "run 22\\n", "output_bytes": 7, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show mended", "radar monitors output mended"], "tags": [], "tz": "UTC", "previous_since_us": 1792213500014242}	1792958409171091	1792958409171090	0		
01a174a6-20d1-709c-9312-c72c2dc2eb8f	01a174a6-20ba-75ac-ba12-d40f765a232d	crashed	chat	{"kind": "down", "monitor": "crashed", "name": "", "status": "down", "previous": "new", "reason": "failed", "since_us": 1792317600210094, "noticed_us": 1792958406842406, "expected": "its runs succeed", "happened": "a run failed: signal 9", "last_run": {"run_id": "01a14e74-3111-7cae-84c7-475f75123dc1", "started_us": 1792317600017129, "ended_us": 1792317600210094, "outcome": "fail", "duration_s": 0.192877, "exit_code": null, "signal": 9, "reason": "", "cpu_s": 0.001347, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "half\\n", "output_bytes": 5, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show crashed", "radar monitors output crashed"], "tags": [], "tz": "UTC", "previous_since_us": null}	1792958406865363	1793008847714112	2		http://chat.example/…: Name or service not known
01a174a6-29d3-724e-be00-21919616d16c	01a174a6-298d-7864-b4e2-67706fa3818e	mended	pager	{"kind": "up", "monitor": "mended", "name": "", "status": "up", "previous": "down", "reason": "", "since_us": 1792645200447226, "noticed_us": 1792958409101511, "expected": "every 1 d", "happened": "a run succeeded", "last_run": {"run_id": "01a161fa-f888-7149-ae85-7da3b49c9cf7", "started_us": 1792645200008223, "ended_us": 1792645200447226, "outcome": "success", "duration_s": 0.438853, "exit_code": 0, "signal": null, "reason": "", "cpu_s": 0.001213, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "run 22\\n", "output_bytes": 7, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show mended", "radar monitors output mended"], "tags": [], "tz": "UTC", "previous_since_us": 1792213500014242}	1792958409171090	\N	1	delivered	
01a177a6-de4b-7e5e-9b21-6d0c61dcc60d	01a177a6-de4b-7c6b-9c08-6fe0c2ae8938	sync	pager	{"kind": "down", "monitor": "sync", "name": "", "status": "down", "previous": "up", "reason": "missed", "since_us": 1792987630058035, "noticed_us": 1793008787019372, "expected": "a run at Mon 2026-10-26 03:57:10 UTC, within 10 min (every 1 h)", "happened": "no run began until Mon 2026-10-26 04:07:10 UTC", "last_run": {"run_id": "c5e7b2e7-8bee-5d36-8260-0e54e42918d7", "started_us": 1792983430058035, "ended_us": 1792983670020026, "outcome": "success", "duration_s": 239.961991, "exit_code": null, "signal": null, "reason": "", "cpu_s": null, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "copied 1 200 files\\r\\nWarnung: Gr\\u00f6\\u00dfe > 2 GB \\ud83d\\uddc4\\n\\u001b[32mdone\\u001b[0m\\n", "output_bytes": 63, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show sync", "radar monitors output sync"], "tags": [], "tz": "UTC", "previous_since_us": null}	1793008787019372	\N	1	delivered	
01a177a6-ea66-7548-a059-91609af572ee	01a177a6-e97c-76a1-9df6-da1b79cb881f	sync	chat	{"kind": "up", "monitor": "sync", "name": "", "status": "up", "previous": "down", "reason": "", "since_us": 1793005630031864, "noticed_us": 1793008789884450, "expected": "every 1 h", "happened": "a report that came late says that it was well", "last_run": {"run_id": "dfd99a95-6d00-5dc7-8ac9-8e4e9b48b388", "started_us": 1793005030042336, "ended_us": 1793005270042528, "outcome": "success", "duration_s": 240.000192, "exit_code": null, "signal": null, "reason": "", "cpu_s": null, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "copied 1 200 files\\r\\nWarnung: Gr\\u00f6\\u00dfe > 2 GB \\ud83d\\uddc4\\n\\u001b[32mdone\\u001b[0m\\n", "output_bytes": 63, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show sync", "radar monitors output sync"], "tags": [], "tz": "UTC", "previous_since_us": 1792987630058035}	1793008790118225	1793008790118224	0		
01a174a6-13c8-7e03-8806-c9941e9cef1a	01a174a6-13c8-7c18-987d-d1d30c35e2d0	settled	pager	{"kind": "down", "monitor": "settled", "name": "", "status": "down", "previous": "up", "reason": "missed", "since_us": 1792119900019083, "noticed_us": 1792958403528122, "expected": "a run at Fri 2026-10-16 03:00:00 UTC, within 5 min (every 1 h)", "happened": "no run began until Fri 2026-10-16 03:05:00 UTC", "last_run": {"run_id": "01a14270-0513-7276-9257-158fc092d709", "started_us": 1792116000019083, "ended_us": 1792116000234668, "outcome": "success", "duration_s": 0.2155, "exit_code": 0, "signal": null, "reason": "", "cpu_s": 0.001111, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "", "output_bytes": 0, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show settled", "radar monitors output settled"], "tags": [], "tz": "UTC", "previous_since_us": null}	1792958403528122	\N	1	delivered	
01a174a6-32c4-7e9f-a97a-cc453a6ec48b	01a174a6-32a0-70e8-9137-7b5e5173a428	backup	pager	{"kind": "up", "monitor": "backup", "name": "Z\\u00fcrich: n\\u00e4chtliche Sicherung \\u2713", "status": "up", "previous": "down", "reason": "", "since_us": 1792892640031741, "noticed_us": 1792958411424286, "expected": "at 02:05 every day, by the clock of Europe/Berlin", "happened": "a run succeeded", "last_run": {"run_id": "5c4f0e37-b424-57ef-a4c0-97a8b85ea4b0", "started_us": 1792890300013320, "ended_us": 1792892640031741, "outcome": "success", "duration_s": 2340.018421, "exit_code": null, "signal": null, "reason": "", "cpu_s": null, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "copied 1 200 files\\r\\nWarnung: Gr\\u00f6\\u00dfe > 2 GB \\ud83d\\uddc4\\n\\u001b[32mdone\\u001b[0m\\n", "output_bytes": 63, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show backup", "radar monitors output backup"], "tags": ["nightly", "db"], "tz": "Europe/Berlin", "previous_since_us": 1792197300000000}	1792958411460123	\N	1	delivered	
01a174a6-3582-70b8-9e3e-b77cfaed1b92	01a174a6-34d2-7f8c-a419-498bdefba689	import	chat	{"kind": "up", "monitor": "import", "name": "", "status": "up", "previous": "down", "reason": "", "since_us": 1792917000012708, "noticed_us": 1792958411986175, "expected": "at 08:00 every day, by the clock of UTC", "happened": "a report that came late says that it was well", "last_run": {"run_id": "0364ef1b-558e-555f-91b3-f2adc288e845", "started_us": 1792915200012708, "ended_us": 1792915800055003, "outcome": "success", "duration_s": 600.042295, "exit_code": null, "signal": null, "reason": "", "cpu_s": null, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "copied 1 200 files\\r\\nWarnung: Gr\\u00f6\\u00dfe > 2 GB \\ud83d\\uddc4\\n\\u001b[32mdone\\u001b[0m\\n", "output_bytes": 63, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show import", "radar monitors output import"], "tags": [], "tz": "UTC", "previous_since_us": 1792224300000000}	1792958412162402	1792958412162401	0		
01a174a6-3582-7cf0-a3f7-a51dae050613	01a174a6-3551-79c1-982d-dfa13d8ed69e	window	chat	{"kind": "down", "monitor": "window", "name": "", "status": "down", "previous": "new", "reason": "failed", "since_us": 1792917000031057, "noticed_us": 1792958412113826, "expected": "its runs succeed", "happened": "a run failed: exit 9", "last_run": {"run_id": "01a1722e-4f4c-74d0-ae91-8e5ddd379963", "started_us": 1792917000012081, "ended_us": 1792917000031057, "outcome": "fail", "duration_s": 0.018899, "exit_code": 9, "signal": null, "reason": "", "cpu_s": 0.001487, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "", "output_bytes": 0, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show window", "radar monitors output window"], "tags": [], "tz": "UTC", "previous_since_us": null}	1792958412162402	1793008848706697	2		http://chat.example/…: Name or service not known
01a174a6-3582-780d-8d96-3159f491a1c2	01a174a6-34d2-7f8c-a419-498bdefba689	import	pager	{"kind": "up", "monitor": "import", "name": "", "status": "up", "previous": "down", "reason": "", "since_us": 1792917000012708, "noticed_us": 1792958411986175, "expected": "at 08:00 every day, by the clock of UTC", "happened": "a report that came late says that it was well", "last_run": {"run_id": "0364ef1b-558e-555f-91b3-f2adc288e845", "started_us": 1792915200012708, "ended_us": 1792915800055003, "outcome": "success", "duration_s": 600.042295, "exit_code": null, "signal": null, "reason": "", "cpu_s": null, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "copied 1 200 files\\r\\nWarnung: Gr\\u00f6\\u00dfe > 2 GB \\ud83d\\uddc4\\n\\u001b[32mdone\\u001b[0m\\n", "output_bytes": 63, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show import", "radar monitors output import"], "tags": [], "tz": "UTC", "previous_since_us": 1792224300000000}	1792958412162401	\N	1	delivered	
01a177a6-de4b-76f6-bdbc-cae608da89b9	01a177a6-de4b-72c5-8575-0b77e3e1f162	overlap	chat	{"kind": "down", "monitor": "overlap", "name": "", "status": "down", "previous": "new", "reason": "failed", "since_us": 1792985410076040, "noticed_us": 1793008787019987, "expected": "its runs succeed", "happened": "a run failed", "last_run": {"run_id": "e2667531-dc27-5ee4-a81e-e7f66e3aa2c7", "started_us": 1792984810021474, "ended_us": 1792985410076040, "outcome": "fail", "duration_s": 600.054566, "exit_code": null, "signal": null, "reason": "", "cpu_s": null, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "copied 1 200 files\\r\\nWarnung: Gr\\u00f6\\u00dfe > 2 GB \\ud83d\\uddc4\\n\\u001b[32mdone\\u001b[0m\\n", "output_bytes": 63, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show overlap", "radar monitors output overlap"], "tags": [], "tz": "UTC", "previous_since_us": null}	1793008787019373	1793008819975948	1		http://chat.example/…: Name or service not known
01a174a6-3582-7d98-8699-1bccebb11fb3	01a174a6-3551-79c1-982d-dfa13d8ed69e	window	pager	{"kind": "down", "monitor": "window", "name": "", "status": "down", "previous": "new", "reason": "failed", "since_us": 1792917000031057, "noticed_us": 1792958412113826, "expected": "its runs succeed", "happened": "a run failed: exit 9", "last_run": {"run_id": "01a1722e-4f4c-74d0-ae91-8e5ddd379963", "started_us": 1792917000012081, "ended_us": 1792917000031057, "outcome": "fail", "duration_s": 0.018899, "exit_code": 9, "signal": null, "reason": "", "cpu_s": 0.001487, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "", "output_bytes": 0, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show window", "radar monitors output window"], "tags": [], "tz": "UTC", "previous_since_us": null}	1792958412162401	\N	1	delivered	
01a174a6-160b-7c2d-9710-003f7a67d2d2	01a174a6-160b-7bb8-9ef7-10ec3c90fd72	report	chat	{"kind": "down", "monitor": "report", "name": "", "status": "down", "previous": "up", "reason": "missed", "since_us": 1792390500000000, "noticed_us": 1792958404107267, "expected": "a run at Mon 2026-10-19 06:00:00 UTC, within 15 min (at 06:00 on Monday to Friday, by the clock of UTC)", "happened": "no run began until Mon 2026-10-19 06:15:00 UTC", "last_run": {"run_id": "01a1434b-bf5d-7eb7-bf30-f18d8c843c1d", "started_us": 1792130400093933, "ended_us": 1792130400508408, "outcome": "success", "duration_s": 0.414343, "exit_code": 0, "signal": null, "reason": "", "cpu_s": 0.001403, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "sent\\n", "output_bytes": 5, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show report", "radar monitors output report"], "tags": [], "tz": "UTC", "previous_since_us": null}	1792958404107268	1793008847369187	2		http://chat.example/…: Name or service not known
01a174a6-160b-7526-bb58-24ba3c2824e8	01a174a6-160b-7bb8-9ef7-10ec3c90fd72	report	pager	{"kind": "down", "monitor": "report", "name": "", "status": "down", "previous": "up", "reason": "missed", "since_us": 1792390500000000, "noticed_us": 1792958404107267, "expected": "a run at Mon 2026-10-19 06:00:00 UTC, within 15 min (at 06:00 on Monday to Friday, by the clock of UTC)", "happened": "no run began until Mon 2026-10-19 06:15:00 UTC", "last_run": {"run_id": "01a1434b-bf5d-7eb7-bf30-f18d8c843c1d", "started_us": 1792130400093933, "ended_us": 1792130400508408, "outcome": "success", "duration_s": 0.414343, "exit_code": 0, "signal": null, "reason": "", "cpu_s": 0.001403, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "sent\\n", "output_bytes": 5, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show report", "radar monitors output report"], "tags": [], "tz": "UTC", "previous_since_us": null}	1792958404107267	\N	1	delivered	
01a174a6-2d61-7cfe-aed5-aac424f0c30d	01a174a6-2ca6-7b05-ab46-df25be59eae4	report	chat	{"kind": "up", "monitor": "report", "name": "", "status": "up", "previous": "down", "reason": "", "since_us": 1792736100000000, "noticed_us": 1792958409894531, "expected": "at 06:00 on Monday to Friday, by the clock of UTC", "happened": "a report that came late says that it was well", "last_run": {"run_id": "01a16758-4308-7f9c-b17a-13ebf94ad1b2", "started_us": 1792735200008430, "ended_us": 1792735200160018, "outcome": "success", "duration_s": 0.151513, "exit_code": 0, "signal": null, "reason": "", "cpu_s": 0.001261, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "sent\\n", "output_bytes": 5, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show report", "radar monitors output report"], "tags": [], "tz": "UTC", "previous_since_us": 1792390500000000}	1792958410081534	1792958410081533	0		
01a174a6-2d61-7481-97c4-4abd5f5b6b2a	01a174a6-2ca6-7b05-ab46-df25be59eae4	report	pager	{"kind": "up", "monitor": "report", "name": "", "status": "up", "previous": "down", "reason": "", "since_us": 1792736100000000, "noticed_us": 1792958409894531, "expected": "at 06:00 on Monday to Friday, by the clock of UTC", "happened": "a report that came late says that it was well", "last_run": {"run_id": "01a16758-4308-7f9c-b17a-13ebf94ad1b2", "started_us": 1792735200008430, "ended_us": 1792735200160018, "outcome": "success", "duration_s": 0.151513, "exit_code": 0, "signal": null, "reason": "", "cpu_s": 0.001261, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "sent\\n", "output_bytes": 5, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show report", "radar monitors output report"], "tags": [], "tz": "UTC", "previous_since_us": 1792390500000000}	1792958410081533	\N	1	delivered	
01a174a6-32c4-71fc-95ed-560fb0caa07d	01a174a6-32a0-70e8-9137-7b5e5173a428	backup	chat	{"kind": "up", "monitor": "backup", "name": "Z\\u00fcrich: n\\u00e4chtliche Sicherung \\u2713", "status": "up", "previous": "down", "reason": "", "since_us": 1792892640031741, "noticed_us": 1792958411424286, "expected": "at 02:05 every day, by the clock of Europe/Berlin", "happened": "a run succeeded", "last_run": {"run_id": "5c4f0e37-b424-57ef-a4c0-97a8b85ea4b0", "started_us": 1792890300013320, "ended_us": 1792892640031741, "outcome": "success", "duration_s": 2340.018421, "exit_code": null, "signal": null, "reason": "", "cpu_s": null, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "copied 1 200 files\\r\\nWarnung: Gr\\u00f6\\u00dfe > 2 GB \\ud83d\\uddc4\\n\\u001b[32mdone\\u001b[0m\\n", "output_bytes": 63, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show backup", "radar monitors output backup"], "tags": ["nightly", "db"], "tz": "Europe/Berlin", "previous_since_us": 1792197300000000}	1792958411460124	1792958411460123	0		
01a174a6-3f4e-7980-98b0-c3fe33d2479f	01a174a6-3e81-7fef-80e7-7b6f3d77a60f	settled	chat	{"kind": "up", "monitor": "settled", "name": "", "status": "up", "previous": "down", "reason": "", "since_us": 1792897500014675, "noticed_us": 1792958414465942, "expected": "every 1 d", "happened": "a report that came late says that it was well", "last_run": {"run_id": "01a170c9-410e-742b-9969-dd751b1db56c", "started_us": 1792893600014675, "ended_us": 1792893600022889, "outcome": "success", "duration_s": 0.008135, "exit_code": 0, "signal": null, "reason": "", "cpu_s": 0.001574, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "", "output_bytes": 0, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show settled", "radar monitors output settled"], "tags": [], "tz": "UTC", "previous_since_us": 1792119900019083}	1792958414670349	1792958414670348	0		
01a174a6-3f4e-7b7a-9d9d-f14d122717a3	01a174a6-3e81-7fef-80e7-7b6f3d77a60f	settled	pager	{"kind": "up", "monitor": "settled", "name": "", "status": "up", "previous": "down", "reason": "", "since_us": 1792897500014675, "noticed_us": 1792958414465942, "expected": "every 1 d", "happened": "a report that came late says that it was well", "last_run": {"run_id": "01a170c9-410e-742b-9969-dd751b1db56c", "started_us": 1792893600014675, "ended_us": 1792893600022889, "outcome": "success", "duration_s": 0.008135, "exit_code": 0, "signal": null, "reason": "", "cpu_s": 0.001574, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "", "output_bytes": 0, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show settled", "radar monitors output settled"], "tags": [], "tz": "UTC", "previous_since_us": 1792119900019083}	1792958414670348	\N	1	delivered	
01a174a6-2777-7682-8e56-a6ec8f506e36	01a174a6-2777-7bb5-9499-5ff703da8368	holiday	chat	{"kind": "down", "monitor": "holiday", "name": "", "status": "down", "previous": "up", "reason": "missed", "since_us": 1792663500027933, "noticed_us": 1792958408567527, "expected": "a run at Thu 2026-10-22 10:00:00 UTC, within 5 min (every 1 d)", "happened": "no run began until Thu 2026-10-22 10:05:00 UTC", "last_run": {"run_id": "01a15de7-451b-7723-a9ec-4190b50475f6", "started_us": 1792576800027933, "ended_us": 1792576800035767, "outcome": "success", "duration_s": 0.007745, "exit_code": 0, "signal": null, "reason": "", "cpu_s": 0.001186, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "", "output_bytes": 0, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show holiday", "radar monitors output holiday"], "tags": [], "tz": "UTC", "previous_since_us": null}	1792958408567528	1793008848012545	2		http://chat.example/…: Name or service not known
01a174a6-2777-7b6e-9874-22d3acc610a8	01a174a6-2777-7198-9274-6c9073098d89	resumed	pager	{"kind": "down", "monitor": "resumed", "name": "", "status": "down", "previous": "new", "reason": "hung", "since_us": 1792667100025033, "noticed_us": 1792958408567527, "expected": "a run that began ends, by Thu 2026-10-22 11:05:00 UTC", "happened": "it has not ended", "last_run": {"run_id": "01a15e1e-3399-71cc-948f-ac06a430c037", "started_us": 1792580400025033, "ended_us": 1792580400211168, "outcome": "success", "duration_s": 0.186053, "exit_code": 0, "signal": null, "reason": "", "cpu_s": 0.001172, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "", "output_bytes": 0, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show resumed", "radar monitors output resumed"], "tags": [], "tz": "UTC", "previous_since_us": null}	1792958408567527	\N	1	delivered	
01a174a6-2777-70d1-982e-b1dcd9f70a8b	01a174a6-2777-7198-9274-6c9073098d89	resumed	chat	{"kind": "down", "monitor": "resumed", "name": "", "status": "down", "previous": "new", "reason": "hung", "since_us": 1792667100025033, "noticed_us": 1792958408567527, "expected": "a run that began ends, by Thu 2026-10-22 11:05:00 UTC", "happened": "it has not ended", "last_run": {"run_id": "01a15e1e-3399-71cc-948f-ac06a430c037", "started_us": 1792580400025033, "ended_us": 1792580400211168, "outcome": "success", "duration_s": 0.186053, "exit_code": 0, "signal": null, "reason": "", "cpu_s": 0.001172, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "", "output_bytes": 0, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show resumed", "radar monitors output resumed"], "tags": [], "tz": "UTC", "previous_since_us": null}	1792958408567528	1793008848294076	2		http://chat.example/…: Name or service not known
01a174a6-3482-758d-a700-ef77d2352530	01a174a6-33b5-7a7c-8a50-55317d888ba1	mended	chat	{"kind": "up", "monitor": "mended", "name": "", "status": "up", "previous": "down", "reason": "", "since_us": 1792904700008599, "noticed_us": 1792958411701242, "expected": "every 1 d", "happened": "a report that came late says that it was well", "last_run": {"run_id": "01a1716e-0c90-7aec-8fd2-248e8543fd03", "started_us": 1792904400016343, "ended_us": 1792904400122542, "outcome": "success", "duration_s": 0.10606, "exit_code": 0, "signal": null, "reason": "", "cpu_s": 0.001248, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "run 25\\n", "output_bytes": 7, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show mended", "radar monitors output mended"], "tags": [], "tz": "UTC", "previous_since_us": 1792731900008223}	1792958411906646	1792958411906645	0		
01a174a6-3482-7222-8b6f-7a2eefdeba27	01a174a6-33b5-7a7c-8a50-55317d888ba1	mended	pager	{"kind": "up", "monitor": "mended", "name": "", "status": "up", "previous": "down", "reason": "", "since_us": 1792904700008599, "noticed_us": 1792958411701242, "expected": "every 1 d", "happened": "a report that came late says that it was well", "last_run": {"run_id": "01a1716e-0c90-7aec-8fd2-248e8543fd03", "started_us": 1792904400016343, "ended_us": 1792904400122542, "outcome": "success", "duration_s": 0.10606, "exit_code": 0, "signal": null, "reason": "", "cpu_s": 0.001248, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "run 25\\n", "output_bytes": 7, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show mended", "radar monitors output mended"], "tags": [], "tz": "UTC", "previous_since_us": 1792731900008223}	1792958411906645	\N	1	delivered	
01a177a6-de4b-7f99-b71b-083341c9e92a	01a177a6-de4b-7c6b-9c08-6fe0c2ae8938	sync	chat	{"kind": "down", "monitor": "sync", "name": "", "status": "down", "previous": "up", "reason": "missed", "since_us": 1792987630058035, "noticed_us": 1793008787019372, "expected": "a run at Mon 2026-10-26 03:57:10 UTC, within 10 min (every 1 h)", "happened": "no run began until Mon 2026-10-26 04:07:10 UTC", "last_run": {"run_id": "c5e7b2e7-8bee-5d36-8260-0e54e42918d7", "started_us": 1792983430058035, "ended_us": 1792983670020026, "outcome": "success", "duration_s": 239.961991, "exit_code": null, "signal": null, "reason": "", "cpu_s": null, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "copied 1 200 files\\r\\nWarnung: Gr\\u00f6\\u00dfe > 2 GB \\ud83d\\uddc4\\n\\u001b[32mdone\\u001b[0m\\n", "output_bytes": 63, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show sync", "radar monitors output sync"], "tags": [], "tz": "UTC", "previous_since_us": null}	1793008787019373	1793008820302478	1		http://chat.example/…: Name or service not known
01a174a6-36c9-7738-a399-f7b1da956132	01a174a6-36c9-707f-a514-3adc55621fc6	silent	pager	{"kind": "down", "monitor": "silent", "name": "", "status": "down", "previous": "up", "reason": "missed", "since_us": 1792951800021484, "noticed_us": 1792958412489418, "expected": "a run at Sun 2026-10-25 18:00:00 UTC, within 10 min (every 1 h)", "happened": "no run began until Sun 2026-10-25 18:10:00 UTC", "last_run": {"run_id": "01a17401-3a95-71ef-a363-f39f5fbc6f06", "started_us": 1792947600021484, "ended_us": 1792947600038081, "outcome": "success", "duration_s": 0.013423, "exit_code": 0, "signal": null, "reason": "", "cpu_s": 0.001235, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "last\\n", "output_bytes": 5, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show silent", "radar monitors output silent"], "tags": [], "tz": "UTC", "previous_since_us": null}	1792958412489418	\N	1	delivered	
01a174a6-29d3-7453-9e9e-74513288a29a	01a174a6-29d3-7522-8fe6-25128dbfd1e9	mended	chat	{"kind": "down", "monitor": "mended", "name": "", "status": "down", "previous": "up", "reason": "missed", "since_us": 1792731900008223, "noticed_us": 1792958409171090, "expected": "a run at Fri 2026-10-23 05:00:00 UTC, within 5 min (every 1 d)", "happened": "no run began until Fri 2026-10-23 05:05:00 UTC", "last_run": {"run_id": "01a161fa-f888-7149-ae85-7da3b49c9cf7", "started_us": 1792645200008223, "ended_us": 1792645200447226, "outcome": "success", "duration_s": 0.438853, "exit_code": 0, "signal": null, "reason": "", "cpu_s": 0.001213, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "run 22\\n", "output_bytes": 7, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show mended", "radar monitors output mended"], "tags": [], "tz": "UTC", "previous_since_us": null}	1792958409171093	1792958409171090	0		
01a174a6-29d3-72fb-8910-c301518fa226	01a174a6-29d3-7522-8fe6-25128dbfd1e9	mended	pager	{"kind": "down", "monitor": "mended", "name": "", "status": "down", "previous": "up", "reason": "missed", "since_us": 1792731900008223, "noticed_us": 1792958409171090, "expected": "a run at Fri 2026-10-23 05:00:00 UTC, within 5 min (every 1 d)", "happened": "no run began until Fri 2026-10-23 05:05:00 UTC", "last_run": {"run_id": "01a161fa-f888-7149-ae85-7da3b49c9cf7", "started_us": 1792645200008223, "ended_us": 1792645200447226, "outcome": "success", "duration_s": 0.438853, "exit_code": 0, "signal": null, "reason": "", "cpu_s": 0.001213, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "run 22\\n", "output_bytes": 7, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show mended", "radar monitors output mended"], "tags": [], "tz": "UTC", "previous_since_us": null}	1792958409171092	\N	1	delivered	
01a174a6-31f8-7ed9-b17a-622b86790ef4	01a174a6-315d-7fce-8c5a-a1921c2f4e00	night	chat	{"kind": "up", "monitor": "night", "name": "", "status": "up", "previous": "down", "reason": "", "since_us": 1792888800000000, "noticed_us": 1792958411101354, "expected": "at 02:30 every day, by the clock of Europe/Berlin", "happened": "a report that came late says that it was well", "last_run": {"run_id": "01a17076-db56-72cb-8263-fc3fbf57b06d", "started_us": 1792888200022229, "ended_us": 1792888200285139, "outcome": "success", "duration_s": 0.262821, "exit_code": 0, "signal": null, "reason": "", "cpu_s": 0.001091, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "", "output_bytes": 0, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show night", "radar monitors output night"], "tags": [], "tz": "Europe/Berlin", "previous_since_us": 1792197600000000}	1792958411256096	1792958411256095	0		
01a177a6-e0c8-7fac-a0ac-c9de6d1ebbc7	01a177a6-e063-77ae-b7ad-6de741bf6763	slow	pager	{"kind": "down", "monitor": "slow", "name": "", "status": "down", "previous": "new", "reason": "failed", "since_us": 1792987210437287, "noticed_us": 1793008787555030, "expected": "its runs succeed", "happened": "a run failed: timeout", "last_run": {"run_id": "01a1765d-7a31-781a-a020-79fa187e0aac", "started_us": 1792987210049625, "ended_us": 1792987210437287, "outcome": "fail", "duration_s": 0.387574, "exit_code": null, "signal": 15, "reason": "timeout", "cpu_s": 0.001366, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "", "output_bytes": 0, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show slow", "radar monitors output slow"], "tags": [], "tz": "UTC", "previous_since_us": null}	1793008787656319	\N	1	delivered	
01a174a6-31f8-7f75-a15b-3153977ca13e	01a174a6-315d-7fce-8c5a-a1921c2f4e00	night	pager	{"kind": "up", "monitor": "night", "name": "", "status": "up", "previous": "down", "reason": "", "since_us": 1792888800000000, "noticed_us": 1792958411101354, "expected": "at 02:30 every day, by the clock of Europe/Berlin", "happened": "a report that came late says that it was well", "last_run": {"run_id": "01a17076-db56-72cb-8263-fc3fbf57b06d", "started_us": 1792888200022229, "ended_us": 1792888200285139, "outcome": "success", "duration_s": 0.262821, "exit_code": 0, "signal": null, "reason": "", "cpu_s": 0.001091, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "", "output_bytes": 0, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show night", "radar monitors output night"], "tags": [], "tz": "Europe/Berlin", "previous_since_us": 1792197600000000}	1792958411256095	\N	1	delivered	
01a177a6-e0c8-71fa-828c-0c1ad1c5e269	01a177a6-e063-77ae-b7ad-6de741bf6763	slow	chat	{"kind": "down", "monitor": "slow", "name": "", "status": "down", "previous": "new", "reason": "failed", "since_us": 1792987210437287, "noticed_us": 1793008787555030, "expected": "its runs succeed", "happened": "a run failed: timeout", "last_run": {"run_id": "01a1765d-7a31-781a-a020-79fa187e0aac", "started_us": 1792987210049625, "ended_us": 1792987210437287, "outcome": "fail", "duration_s": 0.387574, "exit_code": null, "signal": 15, "reason": "timeout", "cpu_s": 0.001366, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "", "output_bytes": 0, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show slow", "radar monitors output slow"], "tags": [], "tz": "UTC", "previous_since_us": null}	1793008787656320	1793008820557926	1		http://chat.example/…: Name or service not known
01a177a6-ea66-733a-b2c5-a80e3c5dc094	01a177a6-e97c-76a1-9df6-da1b79cb881f	sync	pager	{"kind": "up", "monitor": "sync", "name": "", "status": "up", "previous": "down", "reason": "", "since_us": 1793005630031864, "noticed_us": 1793008789884450, "expected": "every 1 h", "happened": "a report that came late says that it was well", "last_run": {"run_id": "dfd99a95-6d00-5dc7-8ac9-8e4e9b48b388", "started_us": 1793005030042336, "ended_us": 1793005270042528, "outcome": "success", "duration_s": 240.000192, "exit_code": null, "signal": null, "reason": "", "cpu_s": null, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "copied 1 200 files\\r\\nWarnung: Gr\\u00f6\\u00dfe > 2 GB \\ud83d\\uddc4\\n\\u001b[32mdone\\u001b[0m\\n", "output_bytes": 63, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show sync", "radar monitors output sync"], "tags": [], "tz": "UTC", "previous_since_us": 1792987630058035}	1793008790118224	\N	1	delivered	
01a174a6-36c9-7e10-8e61-838369de4baa	01a174a6-36c9-707f-a514-3adc55621fc6	silent	chat	{"kind": "down", "monitor": "silent", "name": "", "status": "down", "previous": "up", "reason": "missed", "since_us": 1792951800021484, "noticed_us": 1792958412489418, "expected": "a run at Sun 2026-10-25 18:00:00 UTC, within 10 min (every 1 h)", "happened": "no run began until Sun 2026-10-25 18:10:00 UTC", "last_run": {"run_id": "01a17401-3a95-71ef-a363-f39f5fbc6f06", "started_us": 1792947600021484, "ended_us": 1792947600038081, "outcome": "success", "duration_s": 0.013423, "exit_code": 0, "signal": null, "reason": "", "cpu_s": 0.001235, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "last\\n", "output_bytes": 5, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show silent", "radar monitors output silent"], "tags": [], "tz": "UTC", "previous_since_us": null}	1792958412489419	1793008848985482	2		http://chat.example/…: Name or service not known
01a177a6-e5bb-7cde-974a-42f4ba906670	01a177a6-e589-72d6-8188-33ee8f3d07f9	invoices	chat	{"kind": "up", "monitor": "invoices", "name": "", "status": "up", "previous": "down", "reason": "", "since_us": 1792999810024463, "noticed_us": 1793008788873890, "expected": "every 6 h", "happened": "a report that came late says that it was well", "last_run": {"run_id": "01a175b8-ae98-7cf6-a1d5-51313e6d817d", "started_us": 1792976410024463, "ended_us": 1792976410075562, "outcome": "success", "duration_s": 0.051019, "exit_code": 0, "signal": null, "reason": "", "cpu_s": 0.001548, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "all sent\\n", "output_bytes": 9, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show invoices", "radar monitors output invoices"], "tags": [], "tz": "UTC", "previous_since_us": 1792999810024463}	1793008788923115	1793008788923114	0		
01a174a6-36c9-7e93-b1ec-1e607f96c38e	01a174a6-36c9-7810-8978-4b8653a5e0ba	stuck	pager	{"kind": "down", "monitor": "stuck", "name": "", "status": "down", "previous": "new", "reason": "hung", "since_us": 1792953000035733, "noticed_us": 1792958412489418, "expected": "a run that began ends within 30 min, by Sun 2026-10-25 18:30:00 UTC", "happened": "it has not ended", "last_run": null, "host": "web1", "look": ["radar monitors show stuck", "radar monitors output stuck"], "tags": [], "tz": "UTC", "previous_since_us": null}	1792958412489418	\N	1	delivered	
01a177a6-e5bb-7b53-bf75-2980451a7a4c	01a177a6-e589-72d6-8188-33ee8f3d07f9	invoices	pager	{"kind": "up", "monitor": "invoices", "name": "", "status": "up", "previous": "down", "reason": "", "since_us": 1792999810024463, "noticed_us": 1793008788873890, "expected": "every 6 h", "happened": "a report that came late says that it was well", "last_run": {"run_id": "01a175b8-ae98-7cf6-a1d5-51313e6d817d", "started_us": 1792976410024463, "ended_us": 1792976410075562, "outcome": "success", "duration_s": 0.051019, "exit_code": 0, "signal": null, "reason": "", "cpu_s": 0.001548, "max_rss_bytes": null, "tries": 1, "host": "web1", "message": "", "output": "all sent\\n", "output_bytes": 9, "omitted_bytes": 0}, "host": "web1", "look": ["radar monitors show invoices", "radar monitors output invoices"], "tags": [], "tz": "UTC", "previous_since_us": 1792999810024463}	1793008788923114	\N	1	delivered	
01a174a6-36c9-7314-b6d4-1706dd07dac5	01a174a6-36c9-7810-8978-4b8653a5e0ba	stuck	chat	{"kind": "down", "monitor": "stuck", "name": "", "status": "down", "previous": "new", "reason": "hung", "since_us": 1792953000035733, "noticed_us": 1792958412489418, "expected": "a run that began ends within 30 min, by Sun 2026-10-25 18:30:00 UTC", "happened": "it has not ended", "last_run": null, "host": "web1", "look": ["radar monitors show stuck", "radar monitors output stuck"], "tags": [], "tz": "UTC", "previous_since_us": null}	1792958412489419	1793008849326012	2		http://chat.example/…: Name or service not known
\.


--
-- Data for Name: api_key; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.api_key (id, hash, name, scope, monitors, created_us, revoked_us) FROM stdin;
LUe4xLhs0s	48ea48b12426fc339df19dfb43d48cad99b56245e48e782917d7eb2afc0ed8f7	first	admin	*	1792958403542533	\N
WuaQSdLYFF	3dda94eb20dd2845bc2e5271ee5ec9dbd4ff8a619afba30000948c548808a995	wéb1	ping	back*	1792497901390001	\N
azmjjEW1HK	d98b1434a922e07e2dc01bcec750b947eaa447edd44fe17b6ee1dd4c8e8f4cab	wall	read	*	1792497900869309	\N
ca4159H3Lo	87a173903bc05f5b2f41d1a5f25853f1b9a7738be19102bf56539cf8eb655d02	lost	admin	*	1792497901068911	1792497901569963
\.


--
-- Data for Name: flip; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.flip (id, monitor, number, previous, status, reason, time_us, noticed_us, fate, remind_us) FROM stdin;
01a174a6-1348-7662-8e2d-34b323ff8801	backup	300000	new	down	missed	1792197300000000	1792958403400670	told	\N
01a174a6-13c8-7229-9452-dc67eef7877b	mended	200000	new	down	hung	1792213500014242	1792958403528122	told	\N
01a174a6-1324-7514-ad79-bbdf0acee697	night	200000	new	up		1792110603189273	1792958403364470	silent	\N
01a174a6-13c8-787c-9744-4de7ad5c1550	night	300000	up	down	missed	1792197600000000	1792958403528122	told	\N
01a174a6-1381-7e34-a813-fa728dcb8015	settled	200000	new	up		1792116000234668	1792958403457399	silent	\N
01a174a6-13c8-7c18-987d-d1d30c35e2d0	settled	300000	up	down	missed	1792119900019083	1792958403528122	told	\N
01a174a6-14c9-774c-b0b3-2f3c936c2707	import	200000	new	up		1792138200038984	1792958403785348	silent	\N
01a174a6-160b-7772-a7ce-43e66508647c	import	300000	up	down	missed	1792224300000000	1792958404107267	told	\N
01a174a6-1455-7ec5-820c-4b261770c415	report	200000	new	up		1792130400508408	1792958403669531	silent	\N
01a174a6-160b-7bb8-9ef7-10ec3c90fd72	report	300000	up	down	missed	1792390500000000	1792958404107267	told	\N
01a174a6-1aaa-7c6c-8dc7-e80ceaf6ed19	hello	200000	new	up		1792231200056188	1792958405290633	silent	\N
01a174a6-20ba-75ac-ba12-d40f765a232d	crashed	200000	new	down	failed	1792317600210094	1792958406842406	told	\N
01a174a6-2736-778c-a6b4-bb7aba85f012	holiday	200000	new	up		1792576800035767	1792958408502200	silent	\N
01a174a6-2777-7bb5-9499-5ff703da8368	holiday	300000	up	down	missed	1792663500027933	1792958408567527	told	\N
01a174a6-2777-7198-9274-6c9073098d89	resumed	200000	new	down	hung	1792667100025033	1792958408567527	told	\N
01a174a6-298d-7864-b4e2-67706fa3818e	mended	1500000	down	up		1792645200447226	1792958409101511	told	\N
01a174a6-29d3-7522-8fe6-25128dbfd1e9	mended	1600000	up	down	missed	1792731900008223	1792958409171090	told	\N
01a174a6-2ca6-7b05-ab46-df25be59eae4	report	1100000	down	up		1792736100000000	1792958409894531	told	\N
01a174a6-3051-72bc-bdc0-402dd47e495e	odd	200000	new	up		1792836000021213	1792958410833828	silent	\N
01a174a6-311d-7416-b21c-7d834ce2caf6	bytes	200000	new	up		1792845000025114	1792958411037433	silent	\N
01a174a6-3071-7cbf-8a96-c4cedff5022d	notes	200000	new	up		1792841400013538	1792958410865349	silent	\N
01a174a6-315d-7fce-8c5a-a1921c2f4e00	night	2000000	down	up		1792888800000000	1792958411101354	told	\N
01a174a6-32a0-70e8-9137-7b5e5173a428	backup	2100000	down	up		1792892640031741	1792958411424286	told	\N
01a174a6-33b5-7a7c-8a50-55317d888ba1	mended	2100000	down	up		1792904700008599	1792958411701242	told	\N
01a174a6-356a-7610-82b0-a70ce2ca6852	flaky	200000	new	up		1792918800028197	1792958412138029	silent	\N
01a174a6-34d2-7f8c-a419-498bdefba689	import	2100000	down	up		1792917000012708	1792958411986175	told	\N
01a174a6-3551-79c1-982d-dfa13d8ed69e	window	200000	new	down	failed	1792917000031057	1792958412113826	told	\N
01a174a6-35da-7dd3-826d-5e71614b88d7	silent	200000	new	up		1792947600038081	1792958412250042	silent	\N
01a174a6-36c9-707f-a514-3adc55621fc6	silent	300000	up	down	missed	1792951800021484	1792958412489418	told	\N
01a174a6-36c9-7810-8978-4b8653a5e0ba	stuck	200000	new	down	hung	1792953000035733	1792958412489418	told	\N
01a174a6-3e81-7fef-80e7-7b6f3d77a60f	settled	2200000	down	up		1792897500014675	1792958414465942	told	\N
01a177a6-da1d-7633-939e-ecb3e1874a00	resumed	600000	down	up		1792958410031467	1793008785949390		\N
01a177a6-da2a-797b-8bbf-283fa47a6e52	invoices	200000	new	up		1792976410075562	1793008785962603	silent	\N
01a177a6-dbaa-7051-94e3-f34ad08bd37b	invoices	300000	up	down	missed	1792999810024463	1793008786346967	told	\N
01a177a6-de4b-72c5-8575-0b77e3e1f162	overlap	300000	new	down	failed	1792985410076040	1793008787019987	told	\N
01a177a6-ddce-78c4-b81f-49ebaececcf8	sync	200000	new	up		1792983670020026	1793008786894005	silent	\N
01a177a6-de4b-7c6b-9c08-6fe0c2ae8938	sync	300000	up	down	missed	1792987630058035	1793008787019372	told	\N
01a177a6-e063-77ae-b7ad-6de741bf6763	slow	200000	new	down	failed	1792987210437287	1793008787555030	told	\N
01a177a6-e11e-7ecc-835a-37ea89417f62	retried	200000	new	up		1792987812367251	1793008787742780	silent	\N
01a177a6-e589-72d6-8188-33ee8f3d07f9	invoices	400000	down	up		1792999810024463	1793008788873890	told	\N
01a177a6-e5df-7f0f-952f-47e2e875cb25	invoices	500000	up	down	failed	1792999810024463	1793008788959988	told	\N
01a177a6-e97c-76a1-9df6-da1b79cb881f	sync	1400000	down	up		1793005630031864	1793008789884450	told	\N
\.


--
-- Data for Name: mark; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.mark (name, value) FROM stdin;
blind	1792958430449953 1793008784548140 6
swept	1793008784918020 
alive	1793008793621919
\.


--
-- Data for Name: monitor; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.monitor (key, declared, settled, created_us, judged, pauses, status, watched, source, next_look_us, version) FROM stdin;
backup	{"name": "Z\\u00fcrich: n\\u00e4chtliche Sicherung \\u2713", "schedule": "5 2 * * *", "tz": "Europe/Berlin", "gracePeriod": "1800", "max_runtime": "7200", "tags": "nightly db"}	[]	1792109100027221	{"state": {"status": "up", "reason": null, "since_us": 1792892640031741, "covered_us": 1793008784548140, "failures": 0, "failed_start_us": 0, "succeeded_start_us": 1792976710046832, "running": {}, "ended": {}}, "view": {"status": "up", "reason": null, "since_us": 1792892640031741, "is_running": false, "expected_us": 1793063100000000, "next_look_us": 1793063100000000}, "newest": [1792979050041303, "01a175e0-f729-7184-a5f9-05cb6ba76c4d"], "passed_us": 1793008786342101, "has_no_beginning": false}	[[1792958430449953, 1793008784548140]]	up	1		1793063100000000	24
hello	{}	[]	1792231200044850	{"state": {"status": "up", "reason": null, "since_us": 1792231200056188, "covered_us": 1792231200056188, "failures": 0, "failed_start_us": 0, "succeeded_start_us": 1792231200044850, "running": {}, "ended": {}}, "view": {"status": "up", "reason": null, "since_us": 1792231200056188, "is_running": false, "expected_us": null, "next_look_us": null}, "newest": [1792231200056188, "01a1494d-d538-7d9d-93cc-1bdb9251b82e"], "passed_us": 0, "has_no_beginning": false}	[]	up	0		\N	2
crashed	{}	[]	1792317600017129	{"state": {"status": "down", "reason": "failed", "since_us": 1792317600210094, "covered_us": 1792317600210094, "failures": 1, "failed_start_us": 1792317600017129, "succeeded_start_us": 0, "running": {}, "ended": {}}, "view": {"status": "down", "reason": "failed", "since_us": 1792317600210094, "is_running": false, "expected_us": null, "next_look_us": null}, "newest": [1792317600210094, "01a14e74-31d2-759d-8987-ecce7671d65b"], "passed_us": 0, "has_no_beginning": false}	[]	down	0		\N	2
window	{"every": "86400"}	[]	1792917000012081	{"state": {"status": "down", "reason": "failed", "since_us": 1792917000031057, "covered_us": 1792917000012081, "failures": 1, "failed_start_us": 1792917000012081, "succeeded_start_us": 0, "running": {}, "ended": {}}, "view": {"status": "paused", "reason": null, "since_us": 1792958424489855, "is_running": false, "expected_us": 1793217624489855, "next_look_us": 1793131224489855}, "newest": [1792917000031057, "01a1722e-4f5f-715e-94dc-94e2f134ea24"], "passed_us": 0, "has_no_beginning": false}	[[1792958424489855, 1793131224489855]]	paused	1		1793131224489855	3
holiday	{"every": "86400"}	[]	1792576800027933	{"state": {"status": "down", "reason": "missed", "since_us": 1792663500027933, "covered_us": 1792576800027933, "failures": 0, "failed_start_us": 0, "succeeded_start_us": 1792576800027933, "running": {}, "ended": {}}, "view": {"status": "paused", "reason": null, "since_us": 1792958419363552, "is_running": false, "expected_us": null, "next_look_us": null}, "newest": [1792576800035767, "01a15de7-4523-7e83-aebe-4c58984d3f54"], "passed_us": 1792958408567527, "has_no_beginning": false}	[[1792958419363552, null]]	paused	1		\N	4
odd	{}	[]	1792836000012144	{"state": {"status": "up", "reason": null, "since_us": 1792836000021213, "covered_us": 1792836000021213, "failures": 0, "failed_start_us": 0, "succeeded_start_us": 1792836000012144, "running": {}, "ended": {}}, "view": {"status": "up", "reason": null, "since_us": 1792836000021213, "is_running": false, "expected_us": null, "next_look_us": null}, "newest": [1792836000021213, "01a16d5a-5915-7677-9e1a-c96f8495b6bc"], "passed_us": 0, "has_no_beginning": false}	[]	up	0		\N	2
notes	{}	[]	1792839600009747	{"state": {"status": "up", "reason": null, "since_us": 1792841400013538, "covered_us": 1792841400013538, "failures": 0, "failed_start_us": 0, "succeeded_start_us": 1792841400013538, "running": {}, "ended": {}}, "view": {"status": "up", "reason": null, "since_us": 1792841400013538, "is_running": false, "expected_us": null, "next_look_us": null}, "newest": [1792841400013538, "01a16dac-becd-79b0-95f7-6544fc884eb0"], "passed_us": 0, "has_no_beginning": false}	[]	up	0		\N	2
bytes	{}	[]	1792845000016581	{"state": {"status": "up", "reason": null, "since_us": 1792845000025114, "covered_us": 1792845000025114, "failures": 0, "failed_start_us": 0, "succeeded_start_us": 1792845000016581, "running": {}, "ended": {}}, "view": {"status": "up", "reason": null, "since_us": 1792845000025114, "is_running": false, "expected_us": null, "next_look_us": null}, "newest": [1792845000025114, "01a16de3-ad59-76a9-b498-e476c6292086"], "passed_us": 0, "has_no_beginning": false}	[]	up	0		\N	2
report	{"schedule": "0 6 * * 1-5", "tz": "UTC", "gracePeriod": "900"}	[]	1792130400093933	{"state": {"status": "up", "reason": null, "since_us": 1792130400508408, "covered_us": 1793008784548140, "failures": 0, "failed_start_us": 0, "succeeded_start_us": 1792735200008430, "running": {}, "ended": {}}, "view": {"status": "up", "reason": null, "since_us": 1792130400508408, "is_running": false, "expected_us": 1793080800000000, "next_look_us": 1793080800000000}, "newest": [1792735200160018, "01a16758-43a0-76d5-ac33-5b51d4ff6038"], "passed_us": 1793008784548141, "has_no_beginning": false}	[[1792958430449953, 1793008784548140]]	up	1		1793080800000000	12
flaky	{"every": "172800", "failure_tolerance": "2"}	["failure_tolerance"]	1792918800013033	{"state": {"status": "up", "reason": null, "since_us": 1792918800028197, "covered_us": 1793007010025473, "failures": 2, "failed_start_us": 1793007010025473, "succeeded_start_us": 1792918800013033, "running": {}, "ended": {}}, "view": {"status": "up", "reason": null, "since_us": 1792918800028197, "is_running": false, "expected_us": 1793179810025473, "next_look_us": 1793179810025473}, "newest": [1793007010045382, "01a1778b-99ed-780d-b925-b913437aa05a"], "passed_us": 0, "has_no_beginning": false}	[]	up	1		1793179810025473	7
settled	{"every": "86400", "gracePeriod": "7200"}	["every", "gracePeriod"]	1792116000019083	{"state": {"status": "up", "reason": null, "since_us": 1792116000234668, "covered_us": 1793008784548140, "failures": 0, "failed_start_us": 0, "succeeded_start_us": 1792980010032144, "running": {}, "ended": {}}, "view": {"status": "up", "reason": null, "since_us": 1792116000234668, "is_running": false, "expected_us": 1793095184548140, "next_look_us": 1793095184548140}, "newest": [1792980010050250, "01a175ef-9d32-7a4a-af23-c2b0890ad7d8"], "passed_us": 1793008786397850, "has_no_beginning": false}	[[1792958430449953, 1793008784548140]]	up	1		1793095184548140	25
mended	{"every": "86400"}	[]	1792126800014242	{"state": {"status": "up", "reason": null, "since_us": 1792645200447226, "covered_us": 1793008784548140, "failures": 0, "failed_start_us": 1792558800049693, "succeeded_start_us": 1792990810026364, "running": {}, "ended": {}}, "view": {"status": "up", "reason": null, "since_us": 1792645200447226, "is_running": false, "expected_us": 1793095184548140, "next_look_us": 1793095184548140}, "newest": [1792990810209981, "01a17694-6951-7f4d-b311-5cc503ca7faf"], "passed_us": 1793008788209850, "has_no_beginning": false}	[[1792958430449953, 1793008784548140]]	up	1		1793095184548140	25
import	{"schedule": "0 8 * * *", "tz": "UTC", "max_runtime": "1800"}	[]	1792137600064455	{"state": {"status": "up", "reason": null, "since_us": 1792138200038984, "covered_us": 1793008784548140, "failures": 0, "failed_start_us": 0, "succeeded_start_us": 1792915200012708, "running": {}, "ended": {}}, "view": {"status": "up", "reason": null, "since_us": 1792138200038984, "is_running": false, "expected_us": 1793088000000000, "next_look_us": 1793088000000000}, "newest": [1793001610056550, "01a17739-3438-7e4b-8e26-6f9c435e8945"], "passed_us": 1793008789729833, "has_no_beginning": false}	[[1792958430449953, 1793008784548140]]	up	1		1793088000000000	23
sync	{"every": "3600", "gracePeriod": "600"}	[]	1792983430058035	{"state": {"status": "up", "reason": null, "since_us": 1792983670020026, "covered_us": 1793005030042336, "failures": 0, "failed_start_us": 0, "succeeded_start_us": 1793005030042336, "running": {}, "ended": {}}, "view": {"status": "late", "reason": null, "since_us": 1793008630042336, "is_running": false, "expected_us": 1793008630042336, "next_look_us": 1793009230042336}, "newest": [1793005270042528, "01a17771-0d0a-7c71-86b5-07eee1fd3ccb"], "passed_us": 0, "has_no_beginning": false}	[]	late	1		1793009230042336	16
new-one	{"schedule": "0 3 1 * *", "tz": "UTC"}	["schedule", "tz"]	1793008791938289	{"state": {"status": "new", "reason": null, "since_us": 1793008791938289, "covered_us": 1793008791938289, "failures": 0, "failed_start_us": 0, "succeeded_start_us": 0, "running": {}, "ended": {}}, "view": {"status": "new", "reason": null, "since_us": 1793008791938289, "is_running": false, "expected_us": 1793502000000000, "next_look_us": 1793502000000000}, "newest": [0, ""], "passed_us": 0, "has_no_beginning": false}	[]	new	1		1793502000000000	1
resumed	{"every": "86400"}	[]	1792580400025033	{"state": {"status": "up", "reason": null, "since_us": 1792958410031467, "covered_us": 1792958410020963, "failures": 0, "failed_start_us": 0, "succeeded_start_us": 1792958410020963, "running": {}, "ended": {}}, "view": {"status": "paused", "reason": null, "since_us": 1792958422225540, "is_running": false, "expected_us": 1793304022225540, "next_look_us": 1793217622225540}, "newest": [1792958410031467, "01a174a6-061f-77be-8e96-4fe3075dc384"], "passed_us": 1792958408674891, "has_no_beginning": false}	[[1792958422225540, 1793217622225540]]	paused	1		1793217622225540	7
night	{"schedule": "30 2 * * *", "tz": "Europe/Berlin", "gracePeriod": "600"}	[]	1792110600015152	{"state": {"status": "up", "reason": null, "since_us": 1792110603189273, "covered_us": 1793008784548140, "failures": 0, "failed_start_us": 0, "succeeded_start_us": 1792978210024952, "running": {}, "ended": {}}, "view": {"status": "up", "reason": null, "since_us": 1792110603189273, "is_running": false, "expected_us": 1793064600000000, "next_look_us": 1793064600000000}, "newest": [1792978210300902, "01a175d4-26ec-789b-85b3-c5d435d26ce7"], "passed_us": 1793008786197919, "has_no_beginning": false}	[[1792958430449953, 1793008784548140]]	up	1		1793064600000000	24
invoices	{"every": "21600", "gracePeriod": "1800"}	[]	1792976410024463	{"state": {"status": "down", "reason": "failed", "since_us": 1792998010235471, "covered_us": 1792998010025125, "failures": 1, "failed_start_us": 1792998010025125, "succeeded_start_us": 1792976410024463, "running": {}, "ended": {}}, "view": {"status": "down", "reason": "failed", "since_us": 1792998010235471, "is_running": false, "expected_us": 1793019610025125, "next_look_us": null}, "newest": [1792998010235471, "01a17702-466b-71d2-9203-737dccb806ab"], "passed_us": 0, "has_no_beginning": false}	[]	down	1		\N	5
running	{"every": "3600", "max_runtime": "2700"}	[]	1793008210030564	{"state": {"status": "new", "reason": null, "since_us": 1793008210030564, "covered_us": 1793008210030564, "failures": 0, "failed_start_us": 0, "succeeded_start_us": 0, "running": {"fe975381-4496-5251-86bf-37a9529c54d3": 1793008210030564}, "ended": {}}, "view": {"status": "new", "reason": null, "since_us": 1793008210030564, "is_running": true, "expected_us": 1793011810030564, "next_look_us": 1793010910030564}, "newest": [1793008210030564, "01a1779d-e95e-7d4c-badd-9413bfbfd0f8"], "passed_us": 0, "has_no_beginning": false}	[]	new	1		1793010910030564	1
overlap	{"every": "86400"}	[]	1792983610035012	{"state": {"status": "down", "reason": "failed", "since_us": 1792985410076040, "covered_us": 1792984810021474, "failures": 1, "failed_start_us": 1792984810021474, "succeeded_start_us": 1792983610035012, "running": {}, "ended": {}}, "view": {"status": "down", "reason": "failed", "since_us": 1792985410076040, "is_running": false, "expected_us": 1793071210021474, "next_look_us": null}, "newest": [1792986010017015, "01a1764b-2a91-7afd-93e1-ea78f16e1647"], "passed_us": 0, "has_no_beginning": false}	[]	down	1		\N	4
silent	{"every": "3600", "gracePeriod": "600"}	[]	1792947600021484	{"state": {"status": "down", "reason": "missed", "since_us": 1792951800021484, "covered_us": 1792947600021484, "failures": 0, "failed_start_us": 0, "succeeded_start_us": 1792947600021484, "running": {}, "ended": {}}, "view": {"status": "down", "reason": "missed", "since_us": 1792951800021484, "is_running": false, "expected_us": 1792951200021484, "next_look_us": null}, "newest": [1792947600038081, "01a17401-3aa6-7164-b98b-8f4e6ef4b4e8"], "passed_us": 1792958412489418, "has_no_beginning": false}	[]	down	1		\N	3
never	{"name": "nobody's job", "every": "86400"}	["every", "name"]	1792958416481977	{"state": {"status": "new", "reason": null, "since_us": 1792958416481977, "covered_us": 1792958416481977, "failures": 0, "failed_start_us": 0, "succeeded_start_us": 0, "running": {}, "ended": {}}, "view": {"status": "new", "reason": null, "since_us": 1792958416481977, "is_running": false, "expected_us": 1793044816481977, "next_look_us": 1793044816481977}, "newest": [0, ""], "passed_us": 0, "has_no_beginning": false}	[]	new	1		1793044816481977	1
slow	{"every": "86400"}	[]	1792987210049625	{"state": {"status": "down", "reason": "failed", "since_us": 1792987210437287, "covered_us": 1792987210049625, "failures": 1, "failed_start_us": 1792987210049625, "succeeded_start_us": 0, "running": {}, "ended": {}}, "view": {"status": "down", "reason": "failed", "since_us": 1792987210437287, "is_running": false, "expected_us": 1793073610049625, "next_look_us": null}, "newest": [1792987210437287, "01a1765d-7bb5-7c08-9172-af7d9ecc478e"], "passed_us": 0, "has_no_beginning": false}	[]	down	1		\N	2
stuck	{"max_runtime": "1800"}	[]	1792951200035733	{"state": {"status": "down", "reason": "hung", "since_us": 1792953000035733, "covered_us": 1792951200035733, "failures": 0, "failed_start_us": 0, "succeeded_start_us": 0, "running": {}, "ended": {}}, "view": {"status": "down", "reason": "hung", "since_us": 1792953000035733, "is_running": false, "expected_us": null, "next_look_us": null}, "newest": [1792951200035733, "01a17438-2923-78cb-a43d-15cb682c5373"], "passed_us": 1792958412489418, "has_no_beginning": false}	[]	down	0		\N	2
retried	{"every": "86400"}	[]	1792987810032007	{"state": {"status": "up", "reason": null, "since_us": 1792987812367251, "covered_us": 1792987810032007, "failures": 0, "failed_start_us": 0, "succeeded_start_us": 1792987810032007, "running": {}, "ended": {}}, "view": {"status": "up", "reason": null, "since_us": 1792987812367251, "is_running": false, "expected_us": 1793074210032007, "next_look_us": 1793074210032007}, "newest": [1792987812367251, "01a17666-aaff-72ba-a5a1-3f2b82456fa1"], "passed_us": 0, "has_no_beginning": false}	[]	up	1		1793074210032007	2
\.


--
-- Data for Name: ping; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.ping (id, monitor, kind, run_id, time_us, fields, body) FROM stdin;
01a174a6-3a37-76e5-ad0c-b1282723d4ad	backup	log		1792958413367713	{}	\\x
01a14206-bbfb-7fb8-ace3-e91667cf3b1b	backup	start	10b48cb9-9fbe-54e1-a77c-373f43c9fcd2	1792109100027221	{"host": "web1"}	\\x
01a1421d-9f4f-71bc-9aae-48a561acf9e1	night	start	01a1421d-9f4f-78fb-85ea-52e1bb176a21	1792110600015152	{"host": "web1"}	\\x
01a1421d-abb5-785b-94bc-eba0980eb822	night	success	01a1421d-9f4f-78fb-85ea-52e1bb176a21	1792110603189273	{"duration": "3.174051", "exit": "0", "cpu": "0.001168", "output": "0", "host": "web1"}	\\x
01a1422a-70a0-7fba-9101-eed9ebfb34a7	backup	success	10b48cb9-9fbe-54e1-a77c-373f43c9fcd2	1792111440032964	{"output": "63", "host": "web1"}	\\x636f706965642031203230302066696c65730d0a5761726e756e673a204772c3b6c39f65203e203220474220f09f97840a1b5b33326d646f6e651b5b306d0a
01a14270-0513-7109-9581-6d7f69e12e72	settled	start	01a14270-0513-7276-9257-158fc092d709	1792116000019083	{"host": "web1"}	\\x
01a14270-05ea-712f-ac28-37d0a98544c6	settled	success	01a14270-0513-7276-9257-158fc092d709	1792116000234668	{"duration": "0.215500", "exit": "0", "cpu": "0.001111", "output": "0", "host": "web1"}	\\x
01a14314-d08e-731e-b7ff-b61278e7e219	mended	start	01a14314-d08e-73b5-929f-3a393309c3a2	1792126800014242	{"host": "web1"}	\\x
01a14314-d0f9-7583-a186-27195b73a600	mended	success	01a14314-d08e-73b5-929f-3a393309c3a2	1792126800121256	{"duration": "0.106916", "exit": "0", "cpu": "0.001368", "output": "7", "host": "web1"}	\\x72756e2031360a
01a1434b-bf5d-78cf-8117-dd02b50ebd60	report	start	01a1434b-bf5d-7eb7-bf30-f18d8c843c1d	1792130400093933	{"host": "web1"}	\\x
01a1434b-c0fc-78a6-90fb-5db3c95cd432	report	success	01a1434b-bf5d-7eb7-bf30-f18d8c843c1d	1792130400508408	{"duration": "0.414343", "exit": "0", "cpu": "0.001403", "output": "5", "host": "web1"}	\\x73656e740a
01a143b9-9c40-7b0c-9341-62c10e8f50fe	import	start	5b74e015-4ce4-5079-bb74-ce6373a1c5b8	1792137600064455	{"host": "web1"}	\\x
01a143c2-c3e6-74ff-ae54-246d1dd81eaa	import	success	5b74e015-4ce4-5079-bb74-ce6373a1c5b8	1792138200038984	{"output": "63", "host": "web1"}	\\x636f706965642031203230302066696c65730d0a5761726e756e673a204772c3b6c39f65203e203220474220f09f97840a1b5b33326d646f6e651b5b306d0a
01a1472d-1809-75af-8c35-cfd4c2328a99	backup	start	7a2d6e6e-bfc1-5694-9ac6-8641ef264910	1792195500041379	{"host": "web1"}	\\x
01a14743-fb48-78f9-9f51-2203870b9446	night	start	01a14743-fb48-704a-8339-53f7c6250b2f	1792197000008949	{"host": "web1"}	\\x
01a14743-fbfa-72a1-9405-72f47c45dfa5	night	success	01a14743-fb48-704a-8339-53f7c6250b2f	1792197000186494	{"duration": "0.177450", "exit": "0", "cpu": "0.001165", "output": "0", "host": "web1"}	\\x
01a14750-ccc8-7494-8cd9-64f8f70787aa	backup	success	7a2d6e6e-bfc1-5694-9ac6-8641ef264910	1792197840072371	{"output": "63", "host": "web1"}	\\x636f706965642031203230302066696c65730d0a5761726e756e673a204772c3b6c39f65203e203220474220f09f97840a1b5b33326d646f6e651b5b306d0a
01a14796-6119-7127-9c79-973f1e6d557e	settled	start	01a14796-6119-7b14-8188-3d5099978533	1792202400025310	{"host": "web1"}	\\x
01a14796-6149-7305-8b07-f1f3b839ce23	settled	success	01a14796-6119-7b14-8188-3d5099978533	1792202400073764	{"duration": "0.040231", "exit": "0", "cpu": "0.001236", "output": "0", "host": "web1"}	\\x
01a1483b-2ca8-7a76-8824-f20301fb519f	mended	start	01a1483b-2ca8-7e5d-9a40-175dcf6fdc89	1792213200040407	{"host": "web1"}	\\x
01a1483b-2e0e-7afd-ba41-c14dead9462f	mended	success	01a1483b-2ca8-7e5d-9a40-175dcf6fdc89	1792213200398886	{"duration": "0.358376", "exit": "0", "cpu": "0.001243", "output": "7", "host": "web1"}	\\x72756e2031370a
01a148df-f82e-76d8-b899-cf8a51e5c9b9	import	start	b5909088-057e-5b92-bc7b-e0ed4ff8cbcd	1792224000046351	{"host": "web1"}	\\x
01a148e9-2006-7bf7-a67c-17dcaa928704	import	success	b5909088-057e-5b92-bc7b-e0ed4ff8cbcd	1792224600070586	{"output": "63", "host": "web1"}	\\x636f706965642031203230302066696c65730d0a5761726e756e673a204772c3b6c39f65203e203220474220f09f97840a1b5b33326d646f6e651b5b306d0a
01a1494d-d52c-79a0-a0ee-324b889a5495	hello	start	01a1494d-d52c-7198-bea1-926be624a2ab	1792231200044850	{"host": "web1"}	\\x
01a1494d-d538-7d9d-93cc-1bdb9251b82e	hello	success	01a1494d-d52c-7198-bea1-926be624a2ab	1792231200056188	{"duration": "0.011223", "exit": "0", "cpu": "0.001187", "output": "12", "host": "web1"}	\\x68656c6c6f2c205a6fc3ab0a
01a14c53-742e-74cc-90c8-2988a3324e82	backup	start	93a6caba-920a-54c9-91fe-17459c2c3707	1792281900078759	{"host": "web1"}	\\x
01a14c6a-575a-787d-b34f-16eee8a7377a	night	start	01a14c6a-575a-7b4a-9673-bdd1b0a5539e	1792283400026168	{"host": "web1"}	\\x
01a14c6a-5b1e-74c7-a86a-79e2085e33af	night	success	01a14c6a-575a-7b4a-9673-bdd1b0a5539e	1792283400990057	{"duration": "0.963807", "exit": "0", "cpu": "0.001129", "output": "0", "host": "web1"}	\\x
01a14c77-28b6-7815-b482-775e0036e78a	backup	success	93a6caba-920a-54c9-91fe-17459c2c3707	1792284240054373	{"output": "63", "host": "web1"}	\\x636f706965642031203230302066696c65730d0a5761726e756e673a204772c3b6c39f65203e203220474220f09f97840a1b5b33326d646f6e651b5b306d0a
01a14cbc-bd19-7a2a-bd7e-4b69fc3c4940	settled	start	01a14cbc-bd19-7f39-b588-5169f6de003e	1792288800025116	{"host": "web1"}	\\x
01a14cbc-bd20-7f46-a3e1-43bcab69915c	settled	success	01a14cbc-bd19-7f39-b588-5169f6de003e	1792288800032337	{"duration": "0.007132", "exit": "0", "cpu": "0.001229", "output": "0", "host": "web1"}	\\x
01a14d61-88ab-71c2-873e-d6bdfb081142	mended	start	01a14d61-88ab-727b-bb4d-7a2b259d5633	1792299600043401	{"host": "web1"}	\\x
01a14d61-8af9-7c59-bc7f-01d22ac9b3ed	mended	success	01a14d61-88ab-727b-bb4d-7a2b259d5633	1792299600633174	{"duration": "0.589685", "exit": "0", "cpu": "0.001241", "output": "7", "host": "web1"}	\\x72756e2031380a
01a14e06-5429-7017-8d1f-7046eaf3f4a6	import	start	90a67217-994d-5902-85e2-6e7454bdb373	1792310400041502	{"host": "web1"}	\\x
01a14e0f-7bfa-7c17-8105-ef1461288b77	import	success	90a67217-994d-5902-85e2-6e7454bdb373	1792311000058750	{"output": "63", "host": "web1"}	\\x636f706965642031203230302066696c65730d0a5761726e756e673a204772c3b6c39f65203e203220474220f09f97840a1b5b33326d646f6e651b5b306d0a
01a14e74-3111-7f0b-b868-5dd5ced3b402	crashed	start	01a14e74-3111-7cae-84c7-475f75123dc1	1792317600017129	{"host": "web1"}	\\x
01a14e74-31d2-759d-8987-ecce7671d65b	crashed	fail	01a14e74-3111-7cae-84c7-475f75123dc1	1792317600210094	{"duration": "0.192877", "signal": "9", "cpu": "0.001347", "output": "5", "host": "web1"}	\\x68616c660a
01a15179-d00f-716c-bd28-fc898b941618	backup	start	b0a8795e-3054-5ad1-8b2e-28e88c8ae1a5	1792368300047638	{"host": "web1"}	\\x
01a15190-b362-7d2c-a6ed-78c1e0fa3825	night	start	01a15190-b362-7fcf-b889-fe036c41be2c	1792369800034725	{"host": "web1"}	\\x
01a15190-b623-71a1-b587-0f809ec299c4	night	success	01a15190-b362-7fcf-b889-fe036c41be2c	1792369800739267	{"duration": "0.704445", "exit": "0", "cpu": "0.001227", "output": "0", "host": "web1"}	\\x
01a1519d-849b-7a7e-861d-8fe923a4a258	backup	success	b0a8795e-3054-5ad1-8b2e-28e88c8ae1a5	1792370640027373	{"output": "63", "host": "web1"}	\\x636f706965642031203230302066696c65730d0a5761726e756e673a204772c3b6c39f65203e203220474220f09f97840a1b5b33326d646f6e651b5b306d0a
01a151e3-192a-7811-bd9e-61c9e4e8ab0d	settled	start	01a151e3-192a-7528-adb5-c99185332390	1792375200042071	{"host": "web1"}	\\x
01a151e3-193b-70cc-b25c-b7cfc18fd7dc	settled	success	01a151e3-192a-7528-adb5-c99185332390	1792375200059740	{"duration": "0.017595", "exit": "0", "cpu": "0.001166", "output": "0", "host": "web1"}	\\x
01a15287-e48f-7046-865e-b92be128141d	mended	start	01a15287-e48f-724e-9295-27952bde8e4f	1792386000015633	{"host": "web1"}	\\x
01a15287-e4ac-702e-a5af-9226bff16fec	mended	success	01a15287-e48f-724e-9295-27952bde8e4f	1792386000044403	{"duration": "0.028683", "exit": "0", "cpu": "0.001343", "output": "7", "host": "web1"}	\\x72756e2031390a
01a156c3-e0aa-7f3a-9c96-8f62fbe7e7d9	backup	success	d42a2515-23be-52f2-bcec-1564a85db06c	1792457040042928	{"output": "63", "host": "web1"}	\\x636f706965642031203230302066696c65730d0a5761726e756e673a204772c3b6c39f65203e203220474220f09f97840a1b5b33326d646f6e651b5b306d0a
01a15853-0c3a-769c-bb8f-b60676932288	import	start	9d277991-a550-57a2-b29e-dff7ce65cd54	1792483200058092	{"host": "web1"}	\\x
01a15bdd-6bfd-7e5d-81bd-45b407353ef1	night	success	01a15bdd-6b5d-7088-91a6-fddfcd570cd8	1792542600189806	{"duration": "0.160258", "exit": "0", "cpu": "0.001190", "output": "0", "host": "web1"}	\\x
01a15d0b-8b1e-7641-a7b1-32147d4c3a7e	report	start	01a15d0b-8b1e-728b-9e94-0643c7f8de15	1792562400030254	{"host": "web1"}	\\x
01a161fa-f888-7896-be31-a5f88fc032fd	mended	start	01a161fa-f888-7149-ae85-7da3b49c9cf7	1792645200008223	{"host": "web1"}	\\x
01a1629f-c424-78ee-8869-8c9339bc411f	import	start	ccd45e3e-a8e1-56cf-88c6-eeb484bab6b8	1792656000036274	{"host": "web1"}	\\x
01a1662a-4620-7e0d-bd30-b9458eabc8d0	night	success	01a1662a-236d-7745-b460-1fa1dc3ef744	1792715408928782	{"duration": "8.883255", "exit": "0", "cpu": "0.001180", "output": "0", "host": "web1"}	\\x
01a16636-f4ba-7dfb-80a2-c0d428026871	backup	success	72d64143-250e-5f9c-9ca9-7680ff141f80	1792716240058457	{"output": "63", "host": "web1"}	\\x636f706965642031203230302066696c65730d0a5761726e756e673a204772c3b6c39f65203e203220474220f09f97840a1b5b33326d646f6e651b5b306d0a
01a16ba2-e5b9-7409-8272-b90e8ce38025	settled	success	01a16ba2-e507-7633-ae19-487185be8c37	1792807200185065	{"duration": "0.177228", "exit": "0", "cpu": "0.001258", "output": "0", "host": "web1"}	\\x
01a16dac-becd-79b0-95f7-6544fc884eb0	notes	success		1792841400013538	{"exit": "0", "output": "6480", "host": "web1"}	\\x6c696e6520303030303a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303030313a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303030323a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303030333a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303030343a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303030353a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303030363a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303030373a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303030383a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303030393a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303031303a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303031313a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303031323a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303031333a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303031343a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303031353a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303031363a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303031373a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303031383a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303031393a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303032303a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303032313a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303032323a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303032333a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303032343a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303032353a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303032363a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303032373a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303032383a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303032393a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303033303a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303033313a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303033323a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303033333a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303033343a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303033353a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303033363a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303033373a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303033383a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303033393a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303034303a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303034313a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303034323a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303034333a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303034343a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303034353a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303034363a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303034373a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303034383a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303034393a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303035303a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303035313a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303035323a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303035333a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303035343a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303035353a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303035363a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303035373a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303035383a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303035393a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303036303a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303036313a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303036323a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303036333a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303036343a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303036353a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303036363a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303036373a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303036383a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303036393a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303037303a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303037313a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303037323a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303037333a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303037343a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303037353a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303037363a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303037373a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303037383a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303037393a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303038303a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303038313a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303038323a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303038333a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303038343a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303038353a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303038363a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303038373a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303038383a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303038393a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303039303a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303039313a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303039323a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303039333a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303039343a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303039353a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303039363a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303039373a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303039383a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303039393a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303130303a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303130313a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303130323a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303130333a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303130343a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303130353a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303130363a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303130373a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303130383a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303130393a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303131303a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303131313a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303131323a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303131333a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303131343a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303131353a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303131363a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303131373a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303131383a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a6c696e6520303131393a20c3a42e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e0a
01a1716e-0cfa-70c9-b527-5a6eab657b2f	mended	success	01a1716e-0c90-7aec-8fd2-248e8543fd03	1792904400122542	{"duration": "0.106060", "exit": "0", "cpu": "0.001248", "output": "7", "host": "web1"}	\\x72756e2032350a
01a1722e-4f5f-715e-94dc-94e2f134ea24	window	fail	01a1722e-4f4c-74d0-ae91-8e5ddd379963	1792917000031057	{"duration": "0.018899", "exit": "9", "cpu": "0.001487", "output": "0", "host": "web1"}	\\x
01a17438-2923-78cb-a43d-15cb682c5373	stuck	start	ca64e899-c642-5dfe-9696-7aaa0f5e9fce	1792951200035733	{"host": "web1"}	\\x
01a152be-d316-716b-ba5e-2d3df21cfd0f	report	start	01a152be-d316-7b2f-8ca3-f0c56a1f396a	1792389600022695	{"host": "web1"}	\\x
01a156a0-2c1e-7052-90a9-d4d28c98cf29	backup	start	d42a2515-23be-52f2-bcec-1564a85db06c	1792454700062517	{"host": "web1"}	\\x
01a156b7-0f66-781c-8832-d142034148ef	night	start	01a156b7-0f66-70b1-a09c-b4981e7eb2bb	1792456200038058	{"host": "web1"}	\\x
01a15709-7857-7535-a61a-d612e69b5d05	settled	success	01a15709-753a-7bf9-a3ee-a7f1a82b007f	1792461600855941	{"duration": "0.811051", "exit": "0", "cpu": "0.001296", "output": "0", "host": "web1"}	\\x
01a15bea-3cc9-7d08-abb6-e4afff02d438	backup	success	a707459b-146b-557a-b984-154b83c8f6f5	1792543440073722	{"output": "63", "host": "web1"}	\\x636f706965642031203230302066696c65730d0a5761726e756e673a204772c3b6c39f65203e203220474220f09f97840a1b5b33326d646f6e651b5b306d0a
01a15d79-681c-748d-9d22-795c1b3e1102	import	start	af23a839-6695-50ca-a4d8-df555c2f61f7	1792569600028263	{"host": "web1"}	\\x
01a15de7-451b-7732-a105-6a05725e3c28	holiday	start	01a15de7-451b-7723-a9ec-4190b50475f6	1792576800027933	{"host": "web1"}	\\x
01a160ec-e40a-7e65-87e4-e478bcd56f92	backup	start	3f541d98-aa8f-5853-a31a-e705234760c3	1792627500042367	{"host": "web1"}	\\x
01a16103-c766-7862-bb8b-e79b1d97b114	night	start	01a16103-c766-73bf-a419-ee61511a11b2	1792629000038559	{"host": "web1"}	\\x
01a16231-e71c-7aea-90e7-88e4c7661534	report	start	01a16231-e71c-7459-b02f-5347d0ed1796	1792648800028299	{"host": "web1"}	\\x
01a167c6-201f-73ab-a159-28c504718946	import	start	c9858470-fccd-537c-9970-9436e48e2caa	1792742400031908	{"host": "web1"}	\\x
01a16b50-7f48-75db-a083-1853630c91d6	night	start	01a16b50-7f48-74cf-b517-e0b191c26803	1792801800008555	{"host": "web1"}	\\x
01a16b5d-508e-7033-98d1-35063bfc2840	backup	success	ff222f49-3c14-56c4-a4c4-8da69e2fd5bd	1792802640014433	{"output": "63", "host": "web1"}	\\x636f706965642031203230302066696c65730d0a5761726e756e673a204772c3b6c39f65203e203220474220f09f97840a1b5b33326d646f6e651b5b306d0a
01a16c47-b1f3-7e61-baa0-fc04fa673511	mended	success	01a16c47-b088-7bb5-9e80-01ea9c8254a2	1792818000371569	{"duration": "0.362893", "exit": "0", "cpu": "0.001143", "output": "7", "host": "web1"}	\\x72756e2032340a
01a170ba-9b1f-763a-87e5-1b9b6e32a647	backup	success	5c4f0e37-b424-57ef-a4c0-97a8b85ea4b0	1792892640031741	{"output": "63", "host": "web1"}	\\x636f706965642031203230302066696c65730d0a5761726e756e673a204772c3b6c39f65203e203220474220f09f97840a1b5b33326d646f6e651b5b306d0a
01a1722e-4f4c-74dd-adae-b0c37b419228	window	start	01a1722e-4f4c-74d0-ae91-8e5ddd379963	1792917000012081	{"host": "web1"}	\\x
01a17249-c69c-7080-8378-4491bd298e49	flaky	success	01a17249-c68d-7116-ba54-e4c9d852c226	1792918800028197	{"duration": "0.015095", "exit": "0", "cpu": "0.001106", "output": "0", "host": "web1"}	\\x
01a152be-d353-7a48-b6ba-daac9ffb5e75	report	success	01a152be-d316-7b2f-8ca3-f0c56a1f396a	1792389600083641	{"duration": "0.060856", "exit": "0", "cpu": "0.001366", "output": "5", "host": "web1"}	\\x73656e740a
01a156b7-1200-7b7d-ae06-22fc4f42770c	night	success	01a156b7-0f66-70b1-a09c-b4981e7eb2bb	1792456200704767	{"duration": "0.666599", "exit": "0", "cpu": "0.001116", "output": "0", "host": "web1"}	\\x
01a157ae-4087-7260-bf9b-1ea5d77e354f	mended	start	01a157ae-4087-7131-a4bf-23d6e46ab076	1792472400007747	{"host": "web1"}	\\x
01a1585c-33eb-7bb7-81ae-b2a2aa47e108	import	success	9d277991-a550-57a2-b29e-dff7ce65cd54	1792483800043048	{"output": "63", "host": "web1"}	\\x636f706965642031203230302066696c65730d0a5761726e756e673a204772c3b6c39f65203e203220474220f09f97840a1b5b33326d646f6e651b5b306d0a
01a15c2f-d2d5-75ba-8669-7d2e4e8b041a	settled	success	01a15c2f-d115-7e7d-94a2-d5302efaca28	1792548000469896	{"duration": "0.448362", "exit": "0", "cpu": "0.001031", "output": "0", "host": "web1"}	\\x
01a15d0b-a22e-76aa-beb5-6abc1ad67790	report	success	01a15d0b-8b1e-728b-9e94-0643c7f8de15	1792562405934209	{"duration": "5.935268", "exit": "0", "cpu": "0.001409", "output": "5", "host": "web1"}	\\x73656e740a
01a15e1e-3399-75ca-ab2b-f00f8ba776b6	resumed	start	01a15e1e-3399-71cc-948f-ac06a430c037	1792580400025033	{"host": "web1"}	\\x
01a16103-c78f-7471-8a1c-e4d4162efe7f	night	success	01a16103-c766-73bf-a419-ee61511a11b2	1792629000079646	{"duration": "0.040992", "exit": "0", "cpu": "0.001398", "output": "0", "host": "web1"}	\\x
01a16156-2d25-7b00-ad4f-1abb4f856472	settled	start	01a16156-2d25-70dc-a583-52e57fcf3c6a	1792634400037547	{"host": "web1"}	\\x
01a1662a-236d-702e-883f-109635b7e107	night	start	01a1662a-236d-7745-b460-1fa1dc3ef744	1792715400045433	{"host": "web1"}	\\x
01a1667c-8919-7d9d-b8fe-752e39dcd4a0	settled	start	01a1667c-8919-7040-bebe-b2e0355eaec5	1792720800025490	{"host": "web1"}	\\x
01a16758-4308-7a64-827e-b45b032197c9	report	start	01a16758-4308-7f9c-b17a-13ebf94ad1b2	1792735200008430	{"host": "web1"}	\\x
01a167cf-481d-76c4-be23-ad9d0a2c9bec	import	success	c9858470-fccd-537c-9970-9436e48e2caa	1792743000093033	{"output": "63", "host": "web1"}	\\x636f706965642031203230302066696c65730d0a5761726e756e673a204772c3b6c39f65203e203220474220f09f97840a1b5b33326d646f6e651b5b306d0a
01a16b50-7ffb-78a9-b1b7-673fc29c1b5c	night	success	01a16b50-7f48-74cf-b517-e0b191c26803	1792801800187069	{"duration": "0.178447", "exit": "0", "cpu": "0.001096", "output": "0", "host": "web1"}	\\x
01a16cf5-a3dc-7c2a-b829-b09251aac998	import	success	edbc0e5d-8c0e-5d01-be66-1a1ca34547b0	1792829400028602	{"output": "63", "host": "web1"}	\\x636f706965642031203230302066696c65730d0a5761726e756e673a204772c3b6c39f65203e203220474220f09f97840a1b5b33326d646f6e651b5b306d0a
01a17096-e66d-7f24-aba9-eb8f0b58c349	backup	start	5c4f0e37-b424-57ef-a4c0-97a8b85ea4b0	1792890300013320	{"host": "web1"}	\\x
01a170c9-4116-7f47-b5fb-9806962d578a	settled	success	01a170c9-410e-742b-9969-dd751b1db56c	1792893600022889	{"duration": "0.008135", "exit": "0", "cpu": "0.001574", "output": "0", "host": "web1"}	\\x
01a17401-3a95-729e-9b77-141d5a26e5a1	silent	start	01a17401-3a95-71ef-a363-f39f5fbc6f06	1792947600021484	{"host": "web1"}	\\x
01a1532c-b02f-7624-baf0-8b94e47e5b1e	import	start	50777adc-8b2b-546d-b3e1-9ad1d3caa682	1792396800047624	{"host": "web1"}	\\x
01a157ae-408a-7534-9f10-22f08bf7b169	mended	success	01a157ae-4087-7131-a4bf-23d6e46ab076	1792472400010333	{"duration": "0.002519", "exit": "0", "cpu": "0.001225", "output": "7", "host": "web1"}	\\x72756e2032300a
01a15bc6-8819-7bbd-b409-02e6ea8093db	backup	start	a707459b-146b-557a-b984-154b83c8f6f5	1792541100057121	{"host": "web1"}	\\x
01a15c2f-d115-7de6-9c4d-c5b9d8aab531	settled	start	01a15c2f-d115-7e7d-94a2-d5302efaca28	1792548000021453	{"host": "web1"}	\\x
01a15cd4-9d07-7030-86a3-270ea8e1106f	mended	fail	01a15cd4-9cb1-7adc-af5c-f4c81065dc22	1792558800135947	{"duration": "0.086156", "exit": "4", "cpu": "0.001270", "output": "7", "host": "web1"}	\\x72756e2032310a
01a15d82-8ff4-7703-b1f6-152b59f7acbf	import	success	af23a839-6695-50ca-a4d8-df555c2f61f7	1792570200052800	{"output": "63", "host": "web1"}	\\x636f706965642031203230302066696c65730d0a5761726e756e673a204772c3b6c39f65203e203220474220f09f97840a1b5b33326d646f6e651b5b306d0a
01a15e1e-3453-7afe-9933-153ad8263989	resumed	success	01a15e1e-3399-71cc-948f-ac06a430c037	1792580400211168	{"duration": "0.186053", "exit": "0", "cpu": "0.001172", "output": "0", "host": "web1"}	\\x
01a16110-98a3-7549-b2e0-f0ff076c1cd7	backup	success	3f541d98-aa8f-5853-a31a-e705234760c3	1792629840035844	{"output": "63", "host": "web1"}	\\x636f706965642031203230302066696c65730d0a5761726e756e673a204772c3b6c39f65203e203220474220f09f97840a1b5b33326d646f6e651b5b306d0a
01a16156-2d30-79c0-9e4c-ca9c59f74618	settled	success	01a16156-2d25-70dc-a583-52e57fcf3c6a	1792634400048352	{"duration": "0.010699", "exit": "0", "cpu": "0.001167", "output": "0", "host": "web1"}	\\x
01a162a8-ec06-76f8-ba55-5f5f536c318b	import	success	ccd45e3e-a8e1-56cf-88c6-eeb484bab6b8	1792656600070676	{"output": "63", "host": "web1"}	\\x636f706965642031203230302066696c65730d0a5761726e756e673a204772c3b6c39f65203e203220474220f09f97840a1b5b33326d646f6e651b5b306d0a
01a1667c-8923-7a33-b17e-9d0850341dc7	settled	success	01a1667c-8919-7040-bebe-b2e0355eaec5	1792720800035875	{"duration": "0.010289", "exit": "0", "cpu": "0.001297", "output": "0", "host": "web1"}	\\x
01a16721-562c-77af-abca-fd11d7f4168b	mended	success	01a16721-54a7-7233-958f-16e7edf6e9a0	1792731600428588	{"duration": "0.388752", "exit": "0", "cpu": "0.001337", "output": "7", "host": "web1"}	\\x72756e2032330a
01a16b39-9c11-7694-832b-ad612267c807	backup	start	ff222f49-3c14-56c4-a4c4-8da69e2fd5bd	1792800300049317	{"host": "web1"}	\\x
01a16ba2-e507-76fb-9ef2-37caeadb36dd	settled	start	01a16ba2-e507-7633-ae19-487185be8c37	1792807200007769	{"host": "web1"}	\\x
01a16d5a-5915-7677-9e1a-c96f8495b6bc	odd	success	01a16d5a-590c-7d87-aa71-86fc5834f2fb	1792836000021213	{"duration": "0.009002", "exit": "0", "cpu": "0.001111", "output": "0", "host": "web1"}	\\x
01a16d91-4789-7cad-9897-ae86f713b7a5	notes	log		1792839600009747	{"message": "release 2.0 \\u00abF\\u00f6hn\\u00bb is out", "host": "web1"}	\\x
01a16de3-ad59-76a9-b498-e476c6292086	bytes	success	01a16de3-ad50-7ded-b693-00b515c8f8e3	1792845000025114	{"duration": "0.008460", "exit": "0", "cpu": "0.001373", "output": "56", "host": "web1"}	\\xefbfbdefbfbd206e6f74205554462d3820efbfbd0a72616461722d70696e672f3120392030313233616263640a0a69643d31266b696e643d73746172740a
01a17076-db56-73fe-91bb-c70d1b628ba5	night	start	01a17076-db56-72cb-8263-fc3fbf57b06d	1792888200022229	{"host": "web1"}	\\x
01a17212-d80c-7c28-b786-f3c5c7f36969	import	start	0364ef1b-558e-555f-91b3-f2adc288e845	1792915200012708	{"host": "web1"}	\\x
01a15335-d7ea-7cb4-a4a3-6326673c3880	import	success	50777adc-8b2b-546d-b3e1-9ad1d3caa682	1792397400042515	{"output": "63", "host": "web1"}	\\x636f706965642031203230302066696c65730d0a5761726e756e673a204772c3b6c39f65203e203220474220f09f97840a1b5b33326d646f6e651b5b306d0a
01a15709-753a-7f75-a48b-92c388223bd4	settled	start	01a15709-753a-7bf9-a3ee-a7f1a82b007f	1792461600058768	{"host": "web1"}	\\x
01a157e5-2f40-7397-b7d4-4d16fde5d01f	report	start	01a157e5-2f40-7e2c-b17d-abf4422fb17d	1792476000064565	{"host": "web1"}	\\x
01a15bdd-6b5d-750c-99a3-8d5f0e206bc3	night	start	01a15bdd-6b5d-7088-91a6-fddfcd570cd8	1792542600029461	{"host": "web1"}	\\x
01a15cd4-9cb1-77b6-aa5c-da5e836a417a	mended	start	01a15cd4-9cb1-7adc-af5c-f4c81065dc22	1792558800049693	{"host": "web1"}	\\x
01a15de7-4523-7e83-aebe-4c58984d3f54	holiday	success	01a15de7-451b-7723-a9ec-4190b50475f6	1792576800035767	{"duration": "0.007745", "exit": "0", "cpu": "0.001186", "output": "0", "host": "web1"}	\\x
01a161fa-fa3f-7b5e-83d6-4ba536169210	mended	success	01a161fa-f888-7149-ae85-7da3b49c9cf7	1792645200447226	{"duration": "0.438853", "exit": "0", "cpu": "0.001213", "output": "7", "host": "web1"}	\\x72756e2032320a
01a16613-402c-742d-b1ae-342ad37b11b6	backup	start	72d64143-250e-5f9c-9ca9-7680ff141f80	1792713900076827	{"host": "web1"}	\\x
01a16721-54a7-787c-92ca-9d18fe9559c7	mended	start	01a16721-54a7-7233-958f-16e7edf6e9a0	1792731600039753	{"host": "web1"}	\\x
01a16758-43a0-76d5-ac33-5b51d4ff6038	report	success	01a16758-4308-7f9c-b17a-13ebf94ad1b2	1792735200160018	{"duration": "0.151513", "exit": "0", "cpu": "0.001261", "output": "5", "host": "web1"}	\\x73656e740a
01a16c47-b088-7903-8dde-f3d21a6e143f	mended	start	01a16c47-b088-7bb5-9e80-01ea9c8254a2	1792818000008599	{"host": "web1"}	\\x
01a16cec-7c2d-700d-8ad3-322cc84a305a	import	start	edbc0e5d-8c0e-5d01-be66-1a1ca34547b0	1792828800045785	{"host": "web1"}	\\x
01a16d5a-590c-74a5-bbd4-df18d6c70d6f	odd	start	01a16d5a-590c-7d87-aa71-86fc5834f2fb	1792836000012144	{"host": "web1"}	\\x
01a16de3-ad50-7263-a81d-fa2ea0ea19b7	bytes	start	01a16de3-ad50-7ded-b693-00b515c8f8e3	1792845000016581	{"host": "web1"}	\\x
01a17076-dc5d-7849-9f62-d9050c134cea	night	success	01a17076-db56-72cb-8263-fc3fbf57b06d	1792888200285139	{"duration": "0.262821", "exit": "0", "cpu": "0.001091", "output": "0", "host": "web1"}	\\x
01a170c9-410e-7c24-a3f9-32b47e370b83	settled	start	01a170c9-410e-742b-9969-dd751b1db56c	1792893600014675	{"host": "web1"}	\\x
01a1716e-0c90-7fa3-814c-f94a245347a4	mended	start	01a1716e-0c90-7aec-8fd2-248e8543fd03	1792904400016343	{"host": "web1"}	\\x
01a1721b-fff7-75db-95d2-58305f52d694	import	success	0364ef1b-558e-555f-91b3-f2adc288e845	1792915800055003	{"output": "63", "host": "web1"}	\\x636f706965642031203230302066696c65730d0a5761726e756e673a204772c3b6c39f65203e203220474220f09f97840a1b5b33326d646f6e651b5b306d0a
01a17249-c68d-7c6b-bdb7-7be330f4101f	flaky	start	01a17249-c68d-7116-ba54-e4c9d852c226	1792918800013033	{"host": "web1"}	\\x
01a17401-3aa6-7164-b98b-8f4e6ef4b4e8	silent	success	01a17401-3a95-71ef-a363-f39f5fbc6f06	1792947600038081	{"duration": "0.013423", "exit": "0", "cpu": "0.001235", "output": "5", "host": "web1"}	\\x6c6173740a
01a174a6-0614-7d0f-b777-56149dd22142	resumed	start	01a174a6-0614-720d-8fb1-e9b461fdc3bb	1792958410020963	{"host": "web1"}	\\x
01a174a6-061f-77be-8e96-4fe3075dc384	resumed	success	01a174a6-0614-720d-8fb1-e9b461fdc3bb	1792958410031467	{"duration": "0.010424", "exit": "0", "cpu": "0.001125", "output": "0", "host": "web1"}	\\x
01a175b8-ae98-736a-8fee-12bc17d11d70	invoices	start	01a175b8-ae98-7cf6-a1d5-51313e6d817d	1792976410024463	{"host": "web1"}	\\x
01a175b8-aecb-762d-a6bb-662f230e6d4d	invoices	success	01a175b8-ae98-7cf6-a1d5-51313e6d817d	1792976410075562	{"duration": "0.051019", "exit": "0", "cpu": "0.001548", "output": "9", "host": "web1"}	\\x616c6c2073656e740a
01a175bd-428e-7491-9b62-45fb6d53ab11	backup	start	f6b50924-e751-52c3-bb11-d7d4416dc0e2	1792976710046832	{"host": "web1"}	\\x
01a175d4-25d8-7b74-a062-b4d2252c2a15	night	start	01a175d4-25d8-7b6d-a028-5974b4927bf3	1792978210024952	{"host": "web1"}	\\x
01a175d4-26ec-789b-85b3-c5d435d26ce7	night	success	01a175d4-25d8-7b6d-a028-5974b4927bf3	1792978210300902	{"duration": "0.275854", "exit": "0", "cpu": "0.001022", "output": "0", "host": "web1"}	\\x
01a175e0-f729-7184-a5f9-05cb6ba76c4d	backup	success	f6b50924-e751-52c3-bb11-d7d4416dc0e2	1792979050041303	{"output": "63", "host": "web1"}	\\x636f706965642031203230302066696c65730d0a5761726e756e673a204772c3b6c39f65203e203220474220f09f97840a1b5b33326d646f6e651b5b306d0a
01a175ef-9d20-76fc-be35-c98705e0ca8d	settled	start	01a175ef-9d20-797e-8e28-813cf04967ec	1792980010032144	{"host": "web1"}	\\x
01a175ef-9d32-7a4a-af23-c2b0890ad7d8	settled	success	01a175ef-9d20-797e-8e28-813cf04967ec	1792980010050250	{"duration": "0.011836", "exit": "0", "cpu": "0.001019", "output": "0", "host": "web1"}	\\x
01a17623-cc9a-752f-9181-9801fb1c3c99	sync	start	c5e7b2e7-8bee-5d36-8260-0e54e42918d7	1792983430058035	{"host": "web1"}	\\x
01a17626-8ba3-7689-94c4-e2cb73ba896f	overlap	start	aa78d4de-2243-5883-9f35-e5b395ec4434	1792983610035012	{"host": "web1"}	\\x
01a17627-75f4-7afb-9c53-02656358d0a8	sync	success	c5e7b2e7-8bee-5d36-8260-0e54e42918d7	1792983670020026	{"output": "63", "host": "web1"}	\\x636f706965642031203230302066696c65730d0a5761726e756e673a204772c3b6c39f65203e203220474220f09f97840a1b5b33326d646f6e651b5b306d0a
01a17638-db15-77ed-b5ae-b885092e4b7d	overlap	start	e2667531-dc27-5ee4-a81e-e7f66e3aa2c7	1792984810021474	{"host": "web1"}	\\x
01a17642-030c-7ea0-a713-78430e2a4361	overlap	fail	e2667531-dc27-5ee4-a81e-e7f66e3aa2c7	1792985410076040	{"output": "63", "host": "web1"}	\\x636f706965642031203230302066696c65730d0a5761726e756e673a204772c3b6c39f65203e203220474220f09f97840a1b5b33326d646f6e651b5b306d0a
01a1764b-2a91-7afd-93e1-ea78f16e1647	overlap	success	aa78d4de-2243-5883-9f35-e5b395ec4434	1792986010017015	{"output": "63", "host": "web1"}	\\x636f706965642031203230302066696c65730d0a5761726e756e673a204772c3b6c39f65203e203220474220f09f97840a1b5b33326d646f6e651b5b306d0a
01a1765a-baf0-7324-8342-7a04f84a6713	sync	start	7168dc74-9ae7-5a95-bd38-144e4636b19b	1792987030016503	{"host": "web1"}	\\x
01a1765d-7a31-780e-9d24-e2ea66f27bf6	slow	start	01a1765d-7a31-781a-a020-79fa187e0aac	1792987210049625	{"host": "web1"}	\\x
01a1765d-7bb5-7c08-9172-af7d9ecc478e	slow	fail	01a1765d-7a31-781a-a020-79fa187e0aac	1792987210437287	{"duration": "0.387574", "signal": "15", "reason": "timeout", "cpu": "0.001366", "output": "0", "host": "web1"}	\\x
01a1765e-6469-7e84-9d9a-43ce6c2562ab	sync	success	7168dc74-9ae7-5a95-bd38-144e4636b19b	1792987270009339	{"output": "63", "host": "web1"}	\\x636f706965642031203230302066696c65730d0a5761726e756e673a204772c3b6c39f65203e203220474220f09f97840a1b5b33326d646f6e651b5b306d0a
01a17666-a1e0-7806-9447-5d1b1a6e3beb	retried	start	01a17666-a1e0-725e-97f8-42267310b012	1792987810032007	{"host": "web1"}	\\x
01a17666-aaff-72ba-a5a1-3f2b82456fa1	retried	success	01a17666-a1e0-725e-97f8-42267310b012	1792987812367251	{"duration": "2.344853", "exit": "0", "cpu": "0.001129", "tries": "2", "output": "6", "host": "web1"}	\\x616761696e0a
01a17691-a988-7c6b-b6be-a590943d6d4b	sync	start	ed9f9535-b62d-5688-91d6-7de57606e1fc	1792990630040205	{"host": "web1"}	\\x
01a17694-689a-72eb-aee6-78626fee28b7	mended	start	01a17694-689a-77ea-aaae-793e8557bb34	1792990810026364	{"host": "web1"}	\\x
01a176c8-9801-7362-b0cb-14bbec8bd9e7	sync	start	1365b99a-b45c-56de-9629-f87e598a6bc1	1792994230033274	{"host": "web1"}	\\x
01a17694-6951-7f4d-b311-5cc503ca7faf	mended	success	01a17694-689a-77ea-aaae-793e8557bb34	1792990810209981	{"duration": "0.183530", "exit": "0", "cpu": "0.001202", "output": "7", "host": "web1"}	\\x72756e2032360a
01a176cc-4189-786d-b4a6-c56a49383c81	sync	success	1365b99a-b45c-56de-9629-f87e598a6bc1	1792994470041088	{"output": "63", "host": "web1"}	\\x636f706965642031203230302066696c65730d0a5761726e756e673a204772c3b6c39f65203e203220474220f09f97840a1b5b33326d646f6e651b5b306d0a
01a17702-4599-737e-98fa-bca03585e16c	invoices	start	01a17702-4599-7a7b-925e-cf886147a681	1792998010025125	{"host": "web1"}	\\x
01a1771d-bccc-7786-98e3-fc1c13465731	flaky	start	01a1771d-bccc-7e67-a29d-db07f2989d02	1792999810012337	{"host": "web1"}	\\x
01a1779d-e95e-7d4c-badd-9413bfbfd0f8	running	start	fe975381-4496-5251-86bf-37a9529c54d3	1793008210030564	{"host": "web1"}	\\x
01a17695-5312-7b1c-a36b-86f637f84b5f	sync	success	ed9f9535-b62d-5688-91d6-7de57606e1fc	1792990870050196	{"output": "63", "host": "web1"}	\\x636f706965642031203230302066696c65730d0a5761726e756e673a204772c3b6c39f65203e203220474220f09f97840a1b5b33326d646f6e651b5b306d0a
01a176ff-868d-7f9d-984f-49d2f55324ad	sync	start	aec13624-ed33-5fca-8535-5ee75cacdfc0	1792997830045855	{"host": "web1"}	\\x
01a1776d-638a-76e3-995e-b9775b09b37a	sync	start	dfd99a95-6d00-5dc7-8ac9-8e4e9b48b388	1793005030042336	{"host": "web1"}	\\x
01a17771-0d0a-7c71-86b5-07eee1fd3ccb	sync	success	dfd99a95-6d00-5dc7-8ac9-8e4e9b48b388	1793005270042528	{"output": "63", "host": "web1"}	\\x636f706965642031203230302066696c65730d0a5761726e756e673a204772c3b6c39f65203e203220474220f09f97840a1b5b33326d646f6e651b5b306d0a
01a17702-466b-71d2-9203-737dccb806ab	invoices	fail	01a17702-4599-7a7b-925e-cf886147a681	1792998010235471	{"duration": "0.210267", "exit": "3", "cpu": "0.001139", "output": "44", "host": "web1"}	\\x54726163656261636b3a2056616c75654572726f723a20526563686e756e6720e284962037206665686c740a
01a17703-3013-74ae-a304-7cc13335e370	sync	success	aec13624-ed33-5fca-8535-5ee75cacdfc0	1792998070051382	{"output": "63", "host": "web1"}	\\x636f706965642031203230302066696c65730d0a5761726e756e673a204772c3b6c39f65203e203220474220f09f97840a1b5b33326d646f6e651b5b306d0a
01a1771d-be9d-7edd-8d4f-58c82344f3d7	flaky	fail	01a1771d-bccc-7e67-a29d-db07f2989d02	1792999810477253	{"duration": "0.464824", "exit": "1", "cpu": "0.001275", "output": "0", "host": "web1"}	\\x
01a17736-74ff-7d9c-be1b-64152e5f7582	sync	start	ee6ed1e1-3120-5855-9568-ec9eb42d5a2d	1793001430031864	{"host": "web1"}	\\x
01a1773a-1e95-7a2a-be21-163ac00461d1	sync	success	ee6ed1e1-3120-5855-9568-ec9eb42d5a2d	1793001670053895	{"output": "63", "host": "web1"}	\\x636f706965642031203230302066696c65730d0a5761726e756e673a204772c3b6c39f65203e203220474220f09f97840a1b5b33326d646f6e651b5b306d0a
01a1778b-99ed-780d-b925-b913437aa05a	flaky	fail	01a1778b-99d9-7ccb-97e2-e8bc121bd634	1793007010045382	{"duration": "0.019809", "exit": "1", "cpu": "0.001105", "output": "0", "host": "web1"}	\\x
01a17739-3438-7e4b-8e26-6f9c435e8945	import	start	070d6980-8275-5f5e-a207-ebe247a09dbd	1793001610056550	{"host": "web1"}	\\x
01a1778b-99d9-71e9-b693-06c4d04a170b	flaky	start	01a1778b-99d9-7ccb-97e2-e8bc121bd634	1793007010025473	{"host": "web1"}	\\x
\.


--
-- Data for Name: radar_schema; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.radar_schema (version) FROM stdin;
3
\.


--
-- Data for Name: session; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.session (hash, api_key, expires_us) FROM stdin;
38c5c043a044d0dc8a531174ef013276ffcdd52c51f71b2e0a88f99bde2ca169	LUe4xLhs0s	1793563213745493
\.


--
-- Data for Name: token; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.token (token, purpose, monitor) FROM stdin;
c78ce7e0-191a-4ea3-9580-24be273ab6bf	ping	backup
7974501a-23ef-4bc1-a6bb-db55d9733d10	badge	backup
\.


--
-- Name: alert alert_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alert
    ADD CONSTRAINT alert_pkey PRIMARY KEY (id);


--
-- Name: api_key api_key_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_pkey PRIMARY KEY (id);


--
-- Name: flip flip_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.flip
    ADD CONSTRAINT flip_pkey PRIMARY KEY (id);


--
-- Name: mark mark_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.mark
    ADD CONSTRAINT mark_pkey PRIMARY KEY (name);


--
-- Name: monitor monitor_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.monitor
    ADD CONSTRAINT monitor_pkey PRIMARY KEY (key);


--
-- Name: ping ping_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.ping
    ADD CONSTRAINT ping_pkey PRIMARY KEY (id);


--
-- Name: session session_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_pkey PRIMARY KEY (hash);


--
-- Name: token token_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.token
    ADD CONSTRAINT token_pkey PRIMARY KEY (token);


--
-- Name: alert_by_monitor; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX alert_by_monitor ON public.alert USING btree (monitor, channel, created_us) WHERE (next_try_us IS NOT NULL);


--
-- Name: alert_by_next_try; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX alert_by_next_try ON public.alert USING btree (channel, next_try_us) WHERE (next_try_us IS NOT NULL);


--
-- Name: flip_by_monitor; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX flip_by_monitor ON public.flip USING btree (monitor, number);


--
-- Name: flip_to_remind; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX flip_to_remind ON public.flip USING btree (remind_us) WHERE (remind_us IS NOT NULL);


--
-- Name: flip_untold; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX flip_untold ON public.flip USING btree (monitor) WHERE (fate = ''::text);


--
-- Name: monitor_by_next_look; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX monitor_by_next_look ON public.monitor USING btree (next_look_us) WHERE (next_look_us IS NOT NULL);


--
-- Name: monitor_by_source; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX monitor_by_source ON public.monitor USING btree (source) WHERE (source <> ''::text);


--
-- Name: monitor_by_status; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX monitor_by_status ON public.monitor USING btree (status, watched);


--
-- Name: ping_by_time; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ping_by_time ON public.ping USING btree (monitor, time_us DESC, id DESC);


--
-- Name: token_by_monitor; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX token_by_monitor ON public.token USING btree (monitor, purpose);


--
-- PostgreSQL database dump complete
--


