CREATE SCHEMA IF NOT EXISTS __schema__;
CREATE TABLE __schema__.environment (
  id TEXT NOT NULL,
  key TEXT NOT NULL,
  settings TEXT NOT NULL,
  distributions TEXT NOT NULL,
  PRIMARY KEY (id)
);
CREATE TABLE __schema__.evidence (
  id UUID NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (id)
);
CREATE TABLE __schema__.failure_text (
  id UUID NOT NULL,
  signature TEXT NOT NULL,
  signature_version INTEGER NOT NULL,
  exception TEXT,
  text TEXT NOT NULL,
  PRIMARY KEY (id)
);
CREATE INDEX failure_text_signature ON __schema__.failure_text (signature);
CREATE TABLE __schema__.listing (
  id UUID NOT NULL,
  n INTEGER NOT NULL,
  base UUID,
  files TEXT NOT NULL,
  PRIMARY KEY (id),
  FOREIGN KEY(base) REFERENCES __schema__.listing (id)
);
CREATE TABLE __schema__.meta (
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (key)
);
CREATE TABLE __schema__.project (
  id BIGINT NOT NULL,
  identity TEXT NOT NULL,
  label TEXT NOT NULL,
  PRIMARY KEY (id)
);
CREATE TABLE __schema__.sequence (
  id UUID NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (id)
);
CREATE TABLE __schema__.state (
  id TEXT NOT NULL,
  tree TEXT,
  digest TEXT,
  PRIMARY KEY (id)
);
CREATE TABLE __schema__.suite (
  id UUID NOT NULL,
  n INTEGER NOT NULL,
  base UUID,
  added TEXT NOT NULL,
  removed TEXT NOT NULL,
  places TEXT,
  PRIMARY KEY (id),
  FOREIGN KEY(base) REFERENCES __schema__.suite (id)
);
CREATE TABLE __schema__.tombstone (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  at BIGINT NOT NULL,
  by TEXT NOT NULL,
  PRIMARY KEY (kind, id)
);
CREATE TABLE __schema__.event (
  id UUID NOT NULL,
  project BIGINT NOT NULL,
  kind TEXT NOT NULL,
  target TEXT NOT NULL,
  value TEXT NOT NULL,
  supersedes TEXT,
  by TEXT NOT NULL,
  at BIGINT NOT NULL,
  content_hash TEXT NOT NULL,
  PRIMARY KEY (id),
  FOREIGN KEY(project) REFERENCES __schema__.project (id)
);
CREATE INDEX event_target ON __schema__.event (project, target);
CREATE TABLE __schema__.horizon (
  project BIGINT NOT NULL,
  before BIGINT NOT NULL,
  PRIMARY KEY (project, before),
  FOREIGN KEY(project) REFERENCES __schema__.project (id)
);
CREATE TABLE __schema__.run (
  id UUID NOT NULL,
  version INTEGER NOT NULL,
  content_hash TEXT NOT NULL,
  project BIGINT NOT NULL,
  started BIGINT NOT NULL,
  ended BIGINT,
  clock_offset BIGINT,
  build TEXT,
  job TEXT,
  shard TEXT,
  attempt BIGINT,
  commit_id TEXT,
  tree TEXT,
  branch TEXT,
  base_branch TEXT,
  pr TEXT,
  dirty SMALLINT,
  state TEXT,
  listing UUID,
  environment TEXT,
  suite UUID NOT NULL,
  sequence UUID,
  completeness TEXT NOT NULL,
  selection TEXT,
  origin TEXT,
  context TEXT,
  extra TEXT,
  seen TEXT,
  outcomes TEXT NOT NULL,
  durations TEXT NOT NULL,
  PRIMARY KEY (id),
  FOREIGN KEY(project) REFERENCES __schema__.project (id),
  FOREIGN KEY(state) REFERENCES __schema__.state (id),
  FOREIGN KEY(listing) REFERENCES __schema__.listing (id),
  FOREIGN KEY(environment) REFERENCES __schema__.environment (id),
  FOREIGN KEY(suite) REFERENCES __schema__.suite (id),
  FOREIGN KEY(sequence) REFERENCES __schema__.sequence (id)
);
CREATE INDEX run_recent ON __schema__.run (project, started, id);
CREATE INDEX run_state ON __schema__.run (project, state, started);
CREATE TABLE __schema__.test (
  id BIGINT NOT NULL,
  project BIGINT NOT NULL,
  nodeid TEXT NOT NULL,
  masked TEXT,
  PRIMARY KEY (id),
  FOREIGN KEY(project) REFERENCES __schema__.project (id)
);
CREATE TABLE __schema__.arrival (
  run UUID NOT NULL,
  trust SMALLINT NOT NULL,
  received BIGINT NOT NULL,
  via TEXT NOT NULL,
  PRIMARY KEY (run, trust),
  FOREIGN KEY(run) REFERENCES __schema__.run (id)
);
CREATE TABLE __schema__.execution (
  run UUID NOT NULL,
  test BIGINT NOT NULL,
  attempt INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  durations TEXT,
  reason TEXT,
  worker TEXT,
  output TEXT,
  PRIMARY KEY (run, test, attempt),
  FOREIGN KEY(run) REFERENCES __schema__.run (id)
);
CREATE TABLE __schema__.failure (
  run UUID NOT NULL,
  test BIGINT NOT NULL,
  attempt INTEGER NOT NULL,
  n INTEGER NOT NULL,
  phase TEXT NOT NULL,
  subtest TEXT,
  failure_text UUID NOT NULL,
  facts TEXT,
  PRIMARY KEY (run, test, attempt, n),
  FOREIGN KEY(run) REFERENCES __schema__.run (id),
  FOREIGN KEY(failure_text) REFERENCES __schema__.failure_text (id)
);
CREATE TABLE __schema__.verdict (
  run UUID NOT NULL,
  id UUID NOT NULL,
  test BIGINT NOT NULL,
  attempt INTEGER NOT NULL,
  n INTEGER NOT NULL,
  fighter TEXT NOT NULL,
  version INTEGER NOT NULL,
  label TEXT NOT NULL,
  confidence TEXT NOT NULL,
  introduced SMALLINT NOT NULL,
  reason TEXT NOT NULL,
  evidence UUID,
  at BIGINT NOT NULL,
  PRIMARY KEY (run, id),
  FOREIGN KEY(run) REFERENCES __schema__.run (id),
  FOREIGN KEY(evidence) REFERENCES __schema__.evidence (id)
);
CREATE VIEW __schema__.members AS
SELECT r.id AS run, m.position, m.test
FROM __schema__.run r CROSS JOIN LATERAL (
  WITH RECURSIVE chain(base, added, removed, depth) AS (
    SELECT base, added, removed, 0 FROM __schema__.suite WHERE id = r.suite
    UNION ALL
    SELECT s.base, s.added, s.removed, c.depth + 1 FROM chain c JOIN __schema__.suite s ON s.id = c.base
  ), edit(test, depth, here) AS (
    SELECT j.value::bigint, c.depth, true
    FROM chain c CROSS JOIN LATERAL json_array_elements_text(c.added::json) j
    UNION ALL
    SELECT j.value::bigint, c.depth, false
    FROM chain c CROSS JOIN LATERAL json_array_elements_text(c.removed::json) j
  ), newest AS (
    SELECT DISTINCT ON (test) test, here FROM edit ORDER BY test, depth
  )
  SELECT test, row_number() OVER (ORDER BY test) - 1 AS position FROM newest WHERE here
) m;
CREATE VIEW __schema__.runs AS
SELECT r.id, p.identity AS project, to_timestamp(r.started / 1000000.0) AS started,
  (r.ended - r.started) / 1000000.0::float8 AS seconds,
  r.commit_id, r.branch, r.base_branch, r.pr, r.dirty, r.build, r.job, r.shard, r.attempt,
  r.state, r.environment, r.completeness,
  CASE (SELECT min(a.trust) FROM __schema__.arrival a WHERE a.run = r.id)
    WHEN 0 THEN 'protected' WHEN 1 THEN 'pr' WHEN 2 THEN 'local' ELSE 'untrusted' END AS trust,
  s.n AS tests,
  CASE WHEN length(r.outcomes) = s.n THEN s.n - length(replace(r.outcomes, '.', ''))
       WHEN r.outcomes = '.' THEN s.n ELSE 0 END AS passed,
  CASE WHEN length(r.outcomes) = s.n THEN s.n - length(replace(r.outcomes, 'F', ''))
       WHEN r.outcomes = 'F' THEN s.n ELSE 0 END AS failed,
  CASE WHEN length(r.outcomes) = s.n THEN s.n - length(replace(r.outcomes, 'E', ''))
       WHEN r.outcomes = 'E' THEN s.n ELSE 0 END AS errors,
  CASE WHEN length(r.outcomes) = s.n THEN s.n - length(replace(r.outcomes, 's', ''))
       WHEN r.outcomes = 's' THEN s.n ELSE 0 END AS skipped,
  CASE WHEN length(r.outcomes) = s.n THEN s.n - length(replace(r.outcomes, 'x', ''))
       WHEN r.outcomes = 'x' THEN s.n ELSE 0 END AS xfailed,
  CASE WHEN length(r.outcomes) = s.n THEN s.n - length(replace(r.outcomes, 'X', ''))
       WHEN r.outcomes = 'X' THEN s.n ELSE 0 END AS xpassed,
  CASE WHEN length(r.outcomes) = s.n THEN s.n - length(replace(r.outcomes, 'R', ''))
       WHEN r.outcomes = 'R' THEN s.n ELSE 0 END AS passed_after_reruns,
  CASE WHEN length(r.outcomes) = s.n THEN s.n - length(replace(r.outcomes, '?', ''))
       WHEN r.outcomes = '?' THEN s.n ELSE 0 END AS unfinished,
  CASE WHEN length(r.outcomes) = s.n THEN s.n - length(replace(r.outcomes, '-', ''))
       WHEN r.outcomes = '-' THEN s.n ELSE 0 END AS not_run
FROM __schema__.run r
JOIN __schema__.project p ON p.id = r.project
JOIN __schema__.suite s ON s.id = r.suite;
CREATE VIEW __schema__.executions AS
SELECT x.run, p.identity AS project, t.nodeid, to_timestamp(r.started / 1000000.0) AS started, x.attempt, x.outcome,
  x.setup, x.call, x.teardown, x.reason, x.worker, r.commit_id, r.branch, r.state, r.environment
FROM (
SELECT m.run, m.test, 1 AS attempt,
  substr(r.outcomes, CASE WHEN length(r.outcomes) = 1 THEN 1 ELSE m.position + 1 END::int, 1)
    AS outcome,
  d.setup / 10000.0::float8 AS setup, d.call / 10000.0::float8 AS call,
  d.teardown / 10000.0::float8 AS teardown,
  NULL::text AS reason, NULL::text AS worker
FROM __schema__.members m JOIN __schema__.run r ON r.id = m.run
LEFT JOIN LATERAL (
  SELECT (j.ordinality - 1) / 3 AS position,
    max(j.value::bigint) FILTER (WHERE j.ordinality % 3 = 1) AS setup,
    max(j.value::bigint) FILTER (WHERE j.ordinality % 3 = 2) AS call,
    max(j.value::bigint) FILTER (WHERE j.ordinality % 3 = 0) AS teardown
  FROM json_array_elements_text(r.durations::json) WITH ORDINALITY j
  GROUP BY 1
) d ON d.position = m.position
WHERE NOT EXISTS (SELECT 1 FROM __schema__.execution e WHERE e.run = m.run AND e.test = m.test)
 UNION ALL
SELECT e.run, e.test, e.attempt, e.outcome,
  (e.durations::json ->> 0)::bigint / 1000000.0::float8,
  (e.durations::json ->> 1)::bigint / 1000000.0::float8,
  (e.durations::json ->> 2)::bigint / 1000000.0::float8, e.reason, e.worker
FROM __schema__.execution e
) x
JOIN __schema__.run r ON r.id = x.run
JOIN __schema__.test t ON t.id = x.test
JOIN __schema__.project p ON p.id = r.project
WHERE x.outcome <> '-';
CREATE VIEW __schema__.tests AS
SELECT project, nodeid, count(DISTINCT run) AS runs,
  sum(CASE WHEN outcome IN ('.', 'X') THEN 1 ELSE 0 END) AS passes,
  sum(CASE WHEN outcome IN ('F', 'E', '?') THEN 1 ELSE 0 END) AS failures,
  sum(CASE WHEN outcome IN ('s', 'x') THEN 1 ELSE 0 END) AS skips,
  max(CASE WHEN outcome IN ('F', 'E', '?') THEN started END) AS last_failure,
  max(started) AS last_run
FROM __schema__.executions
GROUP BY project, nodeid;
CREATE VIEW __schema__.failures AS
SELECT f.run, p.identity AS project, t.nodeid, to_timestamp(r.started / 1000000.0) AS started, f.attempt, f.n, f.phase,
  f.subtest, c.exception, c.signature, f.facts, c.text
FROM __schema__.failure f
JOIN __schema__.failure_text c ON c.id = f.failure_text
JOIN __schema__.run r ON r.id = f.run
JOIN __schema__.test t ON t.id = f.test
JOIN __schema__.project p ON p.id = r.project;
CREATE VIEW __schema__.verdicts AS
SELECT v.run, p.identity AS project, t.nodeid, v.attempt, v.n, v.fighter, v.version, v.label,
  v.confidence, v.introduced, v.reason, to_timestamp(v.at / 1000000.0) AS at, e.body AS evidence
FROM __schema__.verdict v
JOIN __schema__.run r ON r.id = v.run
JOIN __schema__.test t ON t.id = v.test
JOIN __schema__.project p ON p.id = r.project
LEFT JOIN __schema__.evidence e ON e.id = v.evidence;
COMMENT ON TABLE __schema__.environment IS 'Where a run ran.';
COMMENT ON COLUMN __schema__.environment.id IS 'Made by the client from the rest.';
COMMENT ON COLUMN __schema__.environment.key IS 'Equal where runs can be compared: hash of the settings.';
COMMENT ON COLUMN __schema__.environment.settings IS 'Implementation, Python, OS, CI job, options of pytest, ...';
COMMENT ON COLUMN __schema__.environment.distributions IS 'Installed distributions: name to version.';
COMMENT ON TABLE __schema__.evidence IS 'What verdicts rest on; stands alone.';
COMMENT ON COLUMN __schema__.evidence.id IS 'Hash of (''evidence'', body).';
COMMENT ON COLUMN __schema__.evidence.body IS 'Baseline, changes, matching failures, history seen.';
COMMENT ON TABLE __schema__.failure_text IS 'What failures say, once for all equal ones.';
COMMENT ON COLUMN __schema__.failure_text.id IS 'Hash of (''failure'', signature, version, exception, text).';
COMMENT ON COLUMN __schema__.failure_text.signature IS 'What equal failures share; empty if it has none.';
COMMENT ON COLUMN __schema__.failure_text.signature_version IS 'Version of the rule that made the signature.';
COMMENT ON COLUMN __schema__.failure_text.exception IS 'Qualified name of the exception''s type.';
COMMENT ON COLUMN __schema__.failure_text.text IS 'The traceback, redacted, without what differs in every run.';
COMMENT ON TABLE __schema__.listing IS 'The files of a state, as in the work tree.';
COMMENT ON COLUMN __schema__.listing.id IS 'Hash of (''listing'', path to blob of all files).';
COMMENT ON COLUMN __schema__.listing.n IS 'How many files it has.';
COMMENT ON COLUMN __schema__.listing.base IS 'The listing that the rest is relative to.';
COMMENT ON COLUMN __schema__.listing.files IS '{''set'': {path: first 16 digits of the blob id}, ''gone'': [path]}.';
COMMENT ON TABLE __schema__.meta IS 'What this database is.  The only rows that are ever updated.';
COMMENT ON COLUMN __schema__.meta.key IS 'schema_version, oldest_reader, database_id.';
COMMENT ON COLUMN __schema__.meta.value IS 'Its value, as text.';
COMMENT ON TABLE __schema__.project IS 'What a history keeps apart.';
COMMENT ON COLUMN __schema__.project.id IS 'First 64 bits of the hash of (''project'', identity).';
COMMENT ON COLUMN __schema__.project.identity IS 'Canonical name, for example github.com/acme/shop.';
COMMENT ON COLUMN __schema__.project.label IS 'The name to show; the first one that arrived.';
COMMENT ON TABLE __schema__.sequence IS 'The order in which tests started, where it is not the collection order.';
COMMENT ON COLUMN __schema__.sequence.id IS 'Hash of (''sequence'', body).';
COMMENT ON COLUMN __schema__.sequence.body IS 'Positions in the suite''s collection order, one list per worker.';
COMMENT ON TABLE __schema__.state IS 'What was checked out and tested.';
COMMENT ON COLUMN __schema__.state.id IS 'Made by the client from tree and digest.';
COMMENT ON COLUMN __schema__.state.tree IS 'git''s tree id of the commit checked out; NULL without git.';
COMMENT ON COLUMN __schema__.state.digest IS 'Hash of uncommitted and untracked files; NULL when clean.';
COMMENT ON TABLE __schema__.suite IS 'What a run collected, in order.  Chains of bases have at most 32 links.';
COMMENT ON COLUMN __schema__.suite.id IS 'Hash of (''suite'', ids of its tests in collection order).';
COMMENT ON COLUMN __schema__.suite.n IS 'How many tests it has.';
COMMENT ON COLUMN __schema__.suite.base IS 'The suite that the rest is relative to.';
COMMENT ON COLUMN __schema__.suite.added IS 'Ids of tests that the base lacks, in order of collection.';
COMMENT ON COLUMN __schema__.suite.removed IS 'Ids of tests that only the base has, ascending.';
COMMENT ON COLUMN __schema__.suite.places IS 'NULL: all of it is in `added`.  Else {''at'': [...]}, where in the collection order each of `added` stands, the others keeping the base''s order; or {''order'': [...]}, the collection order as positions in the ascending test ids.';
COMMENT ON TABLE __schema__.tombstone IS 'What was purged; always travels, and beats insertion.';
COMMENT ON COLUMN __schema__.tombstone.kind IS 'run or signature.';
COMMENT ON COLUMN __schema__.tombstone.id IS 'What was removed and may not come back.';
COMMENT ON COLUMN __schema__.tombstone.at IS 'When.';
COMMENT ON COLUMN __schema__.tombstone.by IS 'By whom.';
COMMENT ON TABLE __schema__.event IS 'What people decided.';
COMMENT ON COLUMN __schema__.event.id IS 'UUIDv7.';
COMMENT ON COLUMN __schema__.event.project IS 'The project.';
COMMENT ON COLUMN __schema__.event.kind IS 'mark, quarantine, ...';
COMMENT ON COLUMN __schema__.event.target IS 'What it is about: a node id, a signature, a run.';
COMMENT ON COLUMN __schema__.event.value IS 'What is said of it.';
COMMENT ON COLUMN __schema__.event.supersedes IS 'Ids of earlier events that it replaces.';
COMMENT ON COLUMN __schema__.event.by IS 'Who said it.';
COMMENT ON COLUMN __schema__.event.at IS 'When.';
COMMENT ON COLUMN __schema__.event.content_hash IS 'SHA-256 of the rest.';
COMMENT ON TABLE __schema__.horizon IS 'How far back a project''s history goes here; the latest counts.';
COMMENT ON COLUMN __schema__.horizon.project IS 'The project.';
COMMENT ON COLUMN __schema__.horizon.before IS 'Runs that started before this are not kept.';
COMMENT ON TABLE __schema__.run IS 'One pytest session.';
COMMENT ON COLUMN __schema__.run.id IS 'UUIDv7, made where the run started.';
COMMENT ON COLUMN __schema__.run.version IS 'Recipe of content_hash, see ''The content hash'' below.';
COMMENT ON COLUMN __schema__.run.content_hash IS 'SHA-256 of all that the run says, 64 hexadecimal digits.';
COMMENT ON COLUMN __schema__.run.project IS 'The project.';
COMMENT ON COLUMN __schema__.run.started IS 'Start, by the machine''s clock.';
COMMENT ON COLUMN __schema__.run.ended IS 'End; NULL if it was killed.';
COMMENT ON COLUMN __schema__.run.clock_offset IS 'Machine''s clock less server''s, in µs.';
COMMENT ON COLUMN __schema__.run.build IS 'The CI pipeline it belongs to.';
COMMENT ON COLUMN __schema__.run.job IS 'The job within the build.';
COMMENT ON COLUMN __schema__.run.shard IS 'The part of a split job.';
COMMENT ON COLUMN __schema__.run.attempt IS 'Which attempt at the build, from 1.';
COMMENT ON COLUMN __schema__.run.commit_id IS 'The commit: the head of a pull request, not the merge.';
COMMENT ON COLUMN __schema__.run.tree IS 'git''s tree id of what was checked out.';
COMMENT ON COLUMN __schema__.run.branch IS 'The branch.';
COMMENT ON COLUMN __schema__.run.base_branch IS 'The branch that a pull request goes to.';
COMMENT ON COLUMN __schema__.run.pr IS 'The pull request.';
COMMENT ON COLUMN __schema__.run.dirty IS '1 if files differed from the commit, 0 if not.';
COMMENT ON COLUMN __schema__.run.state IS 'What was tested.';
COMMENT ON COLUMN __schema__.run.listing IS 'Its files, if this run describes them.';
COMMENT ON COLUMN __schema__.run.environment IS 'Where it ran.';
COMMENT ON COLUMN __schema__.run.suite IS 'What was collected.';
COMMENT ON COLUMN __schema__.run.sequence IS 'Order of start; NULL: as collected.';
COMMENT ON COLUMN __schema__.run.completeness IS 'complete, partial (stopped early) or interrupted.';
COMMENT ON COLUMN __schema__.run.selection IS 'What was asked for; NULL: everything.';
COMMENT ON COLUMN __schema__.run.origin IS 'The program that wrote it, its version, host, CI vendor.';
COMMENT ON COLUMN __schema__.run.context IS 'Links and names for people.';
COMMENT ON COLUMN __schema__.run.extra IS 'Fields of later versions, kept verbatim.';
COMMENT ON COLUMN __schema__.run.seen IS 'What the run saw of the history: {''runs'': [ids, newest first]}.';
COMMENT ON COLUMN __schema__.run.outcomes IS 'One character if all tests share it, else one per test in ascending order of test ids: . passed, F failed, E error, s skipped, x xfailed, X xpassed, R passed after reruns, ? unfinished, - not run.';
COMMENT ON COLUMN __schema__.run.durations IS 'setup, call, teardown of each test (the last attempt''s) in units of 100 µs, three numbers per test, flat, in ascending order of test ids.';
COMMENT ON TABLE __schema__.test IS 'What a node id names within a project.';
COMMENT ON COLUMN __schema__.test.id IS 'First 64 bits of the hash of (''test'', project''s identity, nodeid).';
COMMENT ON COLUMN __schema__.test.project IS 'The project.';
COMMENT ON COLUMN __schema__.test.nodeid IS 'pytest''s node id; the path is relative to git''s top level.';
COMMENT ON COLUMN __schema__.test.masked IS 'The node id without unstable parts; NULL if it has none.';
COMMENT ON TABLE __schema__.arrival IS 'How runs reached this database.  Never leaves it, and no part of any hash.';
COMMENT ON COLUMN __schema__.arrival.run IS 'The run.';
COMMENT ON COLUMN __schema__.arrival.trust IS '0 protected, 1 pr, 2 local, 3 untrusted; the lowest counts.';
COMMENT ON COLUMN __schema__.arrival.received IS 'When it arrived here.';
COMMENT ON COLUMN __schema__.arrival.via IS 'How: session, spool, push, pull, ...';
COMMENT ON TABLE __schema__.execution IS 'One attempt at a test, only of tests that are not ''one attempt, passed''.';
COMMENT ON COLUMN __schema__.execution.run IS 'The run.';
COMMENT ON COLUMN __schema__.execution.test IS 'The test.';
COMMENT ON COLUMN __schema__.execution.attempt IS 'From 1.';
COMMENT ON COLUMN __schema__.execution.outcome IS 'A character as in run.outcomes.';
COMMENT ON COLUMN __schema__.execution.durations IS '[setup, call, teardown] in µs, null for a phase that did not run.';
COMMENT ON COLUMN __schema__.execution.reason IS 'Why it was skipped or expected to fail, or how it ended.';
COMMENT ON COLUMN __schema__.execution.worker IS 'The pytest-xdist worker.';
COMMENT ON COLUMN __schema__.execution.output IS 'Captured output, if the profile stores it.';
COMMENT ON TABLE __schema__.failure IS 'One failing report: a phase or a subtest.';
COMMENT ON COLUMN __schema__.failure.run IS 'The run.';
COMMENT ON COLUMN __schema__.failure.test IS 'The test.';
COMMENT ON COLUMN __schema__.failure.attempt IS 'The attempt.';
COMMENT ON COLUMN __schema__.failure.n IS 'Which failing report of the attempt, from 0.';
COMMENT ON COLUMN __schema__.failure.phase IS 'setup, call or teardown.';
COMMENT ON COLUMN __schema__.failure.subtest IS 'The subtest''s description; NULL for the phase itself.';
COMMENT ON COLUMN __schema__.failure.failure_text IS 'What it says.';
COMMENT ON COLUMN __schema__.failure.facts IS 'What judges need and the text may not show: example, seed.';
COMMENT ON TABLE __schema__.verdict IS 'What one flakefighter says of one failure.';
COMMENT ON COLUMN __schema__.verdict.run IS 'The run of the failure.';
COMMENT ON COLUMN __schema__.verdict.id IS 'Hash of (''verdict'', all other columns; evidence by its id).';
COMMENT ON COLUMN __schema__.verdict.test IS 'The test.';
COMMENT ON COLUMN __schema__.verdict.attempt IS 'The attempt.';
COMMENT ON COLUMN __schema__.verdict.n IS 'Which failing report of the attempt.';
COMMENT ON COLUMN __schema__.verdict.fighter IS 'Who says so.';
COMMENT ON COLUMN __schema__.verdict.version IS 'Its version.';
COMMENT ON COLUMN __schema__.verdict.label IS 'flaky, genuine or undecided.';
COMMENT ON COLUMN __schema__.verdict.confidence IS 'proved, strong, fair or weak.';
COMMENT ON COLUMN __schema__.verdict.introduced IS '1 if a change may have brought the failure in, else 0.';
COMMENT ON COLUMN __schema__.verdict.reason IS 'One plain sentence.';
COMMENT ON COLUMN __schema__.verdict.evidence IS 'What it rests on.';
COMMENT ON COLUMN __schema__.verdict.at IS 'When it was made.';
COMMENT ON VIEW __schema__.members IS 'The tests of each run, with their position in `outcomes`.';
COMMENT ON VIEW __schema__.runs IS 'Runs with counts of outcomes.';
COMMENT ON VIEW __schema__.executions IS 'Every attempt at every test; times in seconds; tests not run are left out.';
COMMENT ON VIEW __schema__.tests IS 'Every test with totals over all runs.';
COMMENT ON VIEW __schema__.failures IS 'Every failing report with its text.';
COMMENT ON VIEW __schema__.verdicts IS 'Every verdict with its evidence.';
INSERT INTO __schema__.environment VALUES ('e3d78b33a3545a0eb37dbfe00cf300c1', '931ea6e3bb8ae91f6a590767a883859b', '{"os":"linux","python":"3.13"}', '{"pytest":"9.2"}');
INSERT INTO __schema__.evidence VALUES ('9a60ad12-4c8e-52c2-4239-d97048e5d15a', '{"baseline":null,"seen":[1,2]}');
INSERT INTO __schema__.failure_text VALUES ('3da60c77-7a33-b00e-78e8-e9ed5ac05f7e', 'c5141bff4a80717126dfbee181a6c109', 1, 'AssertionError', 'E assert 1 == 2');
INSERT INTO __schema__.failure_text VALUES ('745bf214-14c9-cd63-93f8-a8d52b0140c8', '748385c1be3a8f8ef70d483a97dec96e', 1, 'AssertionError', 'E é0000d800 ''\  ');
INSERT INTO __schema__.listing VALUES ('fd00f450-d1f5-53a3-48b3-c037d908f6ff', 12, NULL, '{"set":{"shop/part_0.py":"0000000000000000","shop/part_1.py":"0000000000000001","shop/part_10.py":"000000000000000a","shop/part_11.py":"000000000000000b","shop/part_2.py":"0000000000000002","shop/part_3.py":"0000000000000003","shop/part_4.py":"0000000000000004","shop/part_5.py":"0000000000000005","shop/part_6.py":"0000000000000006","shop/part_7.py":"0000000000000007","shop/part_8.py":"0000000000000008","shop/part_9.py":"0000000000000009"}}');
INSERT INTO __schema__.listing VALUES ('802da4fd-fc68-9555-5b1a-ad18c5c48460', 12, 'fd00f450-d1f5-53a3-48b3-c037d908f6ff', '{"set":{"shop/part_3.py":"ffffffffffffffff"}}');
INSERT INTO __schema__.meta VALUES ('database_id', '01a2059656f07248b07b447b1a7269ea');
INSERT INTO __schema__.meta VALUES ('oldest_reader', '1');
INSERT INTO __schema__.meta VALUES ('schema_version', '1');
INSERT INTO __schema__.project VALUES ( -887360255196097662, 'github.com/acme/shop', 'acme/shop');
INSERT INTO __schema__.project VALUES (3285019745531966026, 'local:1f', 'play');
INSERT INTO __schema__.sequence VALUES ('4aa0b057-c643-f4ef-dde1-4b94bfff96f2', '[[3,1,2],[0]]');
INSERT INTO __schema__.state VALUES ('5d4975d724801c90830b3b45ded40639', 'f3d9a8d2f174cb963d76d5a34cac737700000000', NULL);
INSERT INTO __schema__.state VALUES ('6d0cbf0dd748ee71e82a19e67a44d84f', 'e7a94049049901057c7679065d69e89c00000000', NULL);
INSERT INTO __schema__.suite VALUES ('a0f3bc4a-9d80-8d9f-2332-fb907e17ddf2', 1, NULL, '[-7152533520688895326]', '[]', NULL);
INSERT INTO __schema__.suite VALUES ('b2f494c6-e159-02f3-ae80-367fa2f8dce2', 17, NULL, '[4198033578655701224,-7244287897988665995,-4750210932387435005,-8104350132563179369,1680141840022742254,6131638622596221200,2967746526643904077,-824237832655614653,8420300960750051533,4969479432526263468,-1909178607142946168,5440107798572870975,-5531818948311788645,4781545844752920400,-3772728514463487403,-5010778836271535121,7283430896187437991]', '[]', NULL);
INSERT INTO __schema__.suite VALUES ('319106a2-cfe6-f649-fbd5-7d8dabb018d2', 17, 'b2f494c6-e159-02f3-ae80-367fa2f8dce2', '[450659090110393726]', '[8420300960750051533]', '{"at":[16]}');
INSERT INTO __schema__.tombstone VALUES ('run', '01a2059657c77c44831371f679e63ca7', 1767225600000000, 'ann');
INSERT INTO __schema__.horizon VALUES ( -887360255196097662, 1700000000000000);
INSERT INTO __schema__.run VALUES ('019b76da-a800-758b-9d88-f88dab1967e7', 1, '3dc6033bac0ad5bb0baf70985a8fe57bbbe068e93183b348951dd4abac6e6eb2',  -887360255196097662, 1767225600000000, 1767225601000000, NULL, NULL, NULL, NULL, NULL, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'e7a94049049901057c7679065d69e89c00000000', 'main', NULL, NULL, 0, '6d0cbf0dd748ee71e82a19e67a44d84f', 'fd00f450-d1f5-53a3-48b3-c037d908f6ff', 'e3d78b33a3545a0eb37dbfe00cf300c1', 'b2f494c6-e159-02f3-ae80-367fa2f8dce2', NULL, 'complete', NULL, NULL, NULL, NULL, NULL, '.', '[1,23,1,1,21,1,1,32,1,1,35,1,1,22,1,1,34,1,1,30,1,1,27,1,1,24,1,1,26,1,1,20,1,1,33,1,1,29,1,1,31,1,1,25,1,1,36,1,1,28,1]');
INSERT INTO __schema__.run VALUES ('019b76db-9260-71da-a017-249e16b3f9a3', 1, '222bacdbff1e5955b76df6d58a2b53a088baa0bee379543cfc347676b71f0742',  -887360255196097662, 1767225660000000, 1767225661000000, NULL, 'b-17', 'tests', '1/2', 2, NULL, 'f3d9a8d2f174cb963d76d5a34cac737700000000', NULL, 'main', '7', NULL, '5d4975d724801c90830b3b45ded40639', '802da4fd-fc68-9555-5b1a-ad18c5c48460', 'e3d78b33a3545a0eb37dbfe00cf300c1', 'b2f494c6-e159-02f3-ae80-367fa2f8dce2', '4aa0b057-c643-f4ef-dde1-4b94bfff96f2', 'complete', NULL, NULL, '{"label":"näïve","url":"https://ci.example.org/17"}', '{"later":{"field":[1,null]}}', '{"runs":["019b76daa800758b9d88f88dab1967e7"]}', 's......x..F...EF.', '[1,23,1,1,21,1,1,32,1,1,35,1,1,22,1,1,34,1,1,30,1,1,27,1,1,24,1,1,26,1,1,20,1,1,33,1,1,29,1,1,31,1,1,25,1,1,36,1,1,28,1]');
INSERT INTO __schema__.run VALUES ('019b76dc-7cc0-7791-a8cd-f4354a029a16', 1, '3b61edf0f3434ee5895a1b36fc0b2e312a5a3d4ed419e5330576ba769ade491f',  -887360255196097662, 1767225720000000, 1767225721000000, NULL, NULL, NULL, NULL, NULL, NULL, 'e7a94049049901057c7679065d69e89c00000000', NULL, NULL, NULL, NULL, '6d0cbf0dd748ee71e82a19e67a44d84f', NULL, 'e3d78b33a3545a0eb37dbfe00cf300c1', '319106a2-cfe6-f649-fbd5-7d8dabb018d2', NULL, 'interrupted', NULL, NULL, NULL, NULL, NULL, '...........R.....', '[1,23,1,1,21,1,1,31,1,1,34,1,1,22,1,1,33,1,1,29,1,1,27,1,1,36,1,1,24,1,1,26,1,1,20,1,1,32,1,1,28,1,1,30,1,1,25,1,1,35,1]');
INSERT INTO __schema__.run VALUES ('019b76dd-6720-7dc3-abe9-75883ce9dab8', 1, 'c939528f0300a6c2ca19d595ef74e0cd5a041312dab7f550e4753fbf32798a9f', 3285019745531966026, 1767225780000000, 1767225781000000, NULL, NULL, NULL, NULL, NULL, NULL, 'e7a94049049901057c7679065d69e89c00000000', NULL, NULL, NULL, NULL, '6d0cbf0dd748ee71e82a19e67a44d84f', NULL, 'e3d78b33a3545a0eb37dbfe00cf300c1', 'a0f3bc4a-9d80-8d9f-2332-fb907e17ddf2', NULL, 'complete', NULL, NULL, NULL, NULL, NULL, '?', '[1,20,1]');
INSERT INTO __schema__.test VALUES ( -8104350132563179369,  -887360255196097662, 'tests/test_0.py::test_3', NULL);
INSERT INTO __schema__.test VALUES ( -7244287897988665995,  -887360255196097662, 'tests/test_0.py::test_1', NULL);
INSERT INTO __schema__.test VALUES ( -7152533520688895326, 3285019745531966026, 'a.py::b', NULL);
INSERT INTO __schema__.test VALUES ( -5531818948311788645,  -887360255196097662, 'tests/test_3.py::test_12', NULL);
INSERT INTO __schema__.test VALUES ( -5010778836271535121,  -887360255196097662, 'tests/test_3.py::test_15', NULL);
INSERT INTO __schema__.test VALUES ( -4750210932387435005,  -887360255196097662, 'tests/test_0.py::test_2', NULL);
INSERT INTO __schema__.test VALUES ( -3772728514463487403,  -887360255196097662, 'tests/test_3.py::test_14', NULL);
INSERT INTO __schema__.test VALUES ( -1909178607142946168,  -887360255196097662, 'tests/test_2.py::test_10', NULL);
INSERT INTO __schema__.test VALUES ( -824237832655614653,  -887360255196097662, 'tests/test_1.py::test_7', NULL);
INSERT INTO __schema__.test VALUES (450659090110393726,  -887360255196097662, 'tests/test_9.py::test_new', NULL);
INSERT INTO __schema__.test VALUES (1680141840022742254,  -887360255196097662, 'tests/test_1.py::test_4', NULL);
INSERT INTO __schema__.test VALUES (2967746526643904077,  -887360255196097662, 'tests/test_1.py::test_6', NULL);
INSERT INTO __schema__.test VALUES (4198033578655701224,  -887360255196097662, 'tests/test_0.py::test_0', NULL);
INSERT INTO __schema__.test VALUES (4781545844752920400,  -887360255196097662, 'tests/test_3.py::test_13', NULL);
INSERT INTO __schema__.test VALUES (4969479432526263468,  -887360255196097662, 'tests/test_2.py::test_9', NULL);
INSERT INTO __schema__.test VALUES (5440107798572870975,  -887360255196097662, 'tests/test_2.py::test_11', NULL);
INSERT INTO __schema__.test VALUES (6131638622596221200,  -887360255196097662, 'tests/test_1.py::test_5', NULL);
INSERT INTO __schema__.test VALUES (7283430896187437991,  -887360255196097662, 'tests/test_ä.py::test_[0000-d800-🧪-''\]', NULL);
INSERT INTO __schema__.test VALUES (8420300960750051533,  -887360255196097662, 'tests/test_2.py::test_8', NULL);
INSERT INTO __schema__.arrival VALUES ('019b76da-a800-758b-9d88-f88dab1967e7', 0, 1795390068585930, 'session');
INSERT INTO __schema__.arrival VALUES ('019b76db-9260-71da-a017-249e16b3f9a3', 1, 1795390068627321, 'session');
INSERT INTO __schema__.arrival VALUES ('019b76dc-7cc0-7791-a8cd-f4354a029a16', 2, 1795390068649693, 'session');
INSERT INTO __schema__.arrival VALUES ('019b76dd-6720-7dc3-abe9-75883ce9dab8', 3, 1795390068661061, 'session');
INSERT INTO __schema__.execution VALUES ('019b76db-9260-71da-a017-249e16b3f9a3',  -8104350132563179369, 1, 's', '[100,2000,100]', 'not today', NULL, NULL);
INSERT INTO __schema__.execution VALUES ('019b76db-9260-71da-a017-249e16b3f9a3',  -824237832655614653, 1, 'x', '[100,2000,100]', NULL, NULL, NULL);
INSERT INTO __schema__.execution VALUES ('019b76db-9260-71da-a017-249e16b3f9a3', 4198033578655701224, 1, 'F', '[100,2000,100]', NULL, NULL, NULL);
INSERT INTO __schema__.execution VALUES ('019b76db-9260-71da-a017-249e16b3f9a3', 6131638622596221200, 1, 'E', '[100,2000,100]', NULL, NULL, NULL);
INSERT INTO __schema__.execution VALUES ('019b76db-9260-71da-a017-249e16b3f9a3', 7283430896187437991, 1, 'F', '[100,2000,100]', NULL, NULL, NULL);
INSERT INTO __schema__.execution VALUES ('019b76dc-7cc0-7791-a8cd-f4354a029a16', 4198033578655701224, 1, 'F', '[100,2000,100]', NULL, NULL, NULL);
INSERT INTO __schema__.execution VALUES ('019b76dc-7cc0-7791-a8cd-f4354a029a16', 4198033578655701224, 2, '.', '[100,2000,100]', NULL, NULL, NULL);
INSERT INTO __schema__.execution VALUES ('019b76dd-6720-7dc3-abe9-75883ce9dab8',  -7152533520688895326, 1, '?', '[100,2000,100]', NULL, NULL, NULL);
INSERT INTO __schema__.failure VALUES ('019b76db-9260-71da-a017-249e16b3f9a3', 4198033578655701224, 1, 0, 'call', 'i=1', '745bf214-14c9-cd63-93f8-a8d52b0140c8', NULL);
INSERT INTO __schema__.failure VALUES ('019b76db-9260-71da-a017-249e16b3f9a3', 6131638622596221200, 1, 0, 'call', NULL, '3da60c77-7a33-b00e-78e8-e9ed5ac05f7e', NULL);
INSERT INTO __schema__.failure VALUES ('019b76db-9260-71da-a017-249e16b3f9a3', 7283430896187437991, 1, 0, 'call', NULL, '3da60c77-7a33-b00e-78e8-e9ed5ac05f7e', NULL);
INSERT INTO __schema__.verdict VALUES ('019b76db-9260-71da-a017-249e16b3f9a3', '64ba2c4e-17df-9ea9-0ae2-f9edf9a8be64', 4198033578655701224, 1, 0, 'joint', 1, 'flaky', 'proved', 0, 'passed on the same state', '9a60ad12-4c8e-52c2-4239-d97048e5d15a', 1767225720000000);
INSERT INTO __schema__.verdict VALUES ('019b76db-9260-71da-a017-249e16b3f9a3', 'dc65d9d6-41e7-6966-eab0-4ff821fcd389', 7283430896187437991, 1, 0, 'same_state', 1, 'flaky', 'proved', 0, 'passed on the same state', '9a60ad12-4c8e-52c2-4239-d97048e5d15a', 1767225720000000);
