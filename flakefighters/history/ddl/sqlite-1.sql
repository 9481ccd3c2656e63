CREATE TABLE environment (
  id TEXT NOT NULL,
  "key" TEXT NOT NULL,
  settings TEXT NOT NULL,
  distributions TEXT NOT NULL,
  PRIMARY KEY (id)
);

CREATE TABLE evidence (
  id TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (id)
);

CREATE TABLE failure_text (
  id TEXT NOT NULL,
  signature TEXT NOT NULL,
  signature_version INTEGER NOT NULL,
  exception TEXT,
  text TEXT NOT NULL,
  PRIMARY KEY (id)
);

CREATE INDEX failure_text_signature ON failure_text (signature);

CREATE TABLE listing (
  id TEXT NOT NULL,
  n INTEGER NOT NULL,
  base TEXT,
  files TEXT NOT NULL,
  PRIMARY KEY (id),
  FOREIGN KEY(base) REFERENCES listing (id)
);

CREATE TABLE meta (
  "key" TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY ("key")
)
 WITHOUT ROWID;

CREATE TABLE project (
  id INTEGER NOT NULL,
  identity TEXT NOT NULL,
  label TEXT NOT NULL,
  PRIMARY KEY (id)
);

CREATE TABLE sequence (
  id TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (id)
);

CREATE TABLE state (
  id TEXT NOT NULL,
  tree TEXT,
  digest TEXT,
  PRIMARY KEY (id)
);

CREATE TABLE suite (
  id TEXT NOT NULL,
  n INTEGER NOT NULL,
  base TEXT,
  added TEXT NOT NULL,
  removed TEXT NOT NULL,
  places TEXT,
  PRIMARY KEY (id),
  FOREIGN KEY(base) REFERENCES suite (id)
);

CREATE TABLE tombstone (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  at INTEGER NOT NULL,
  "by" TEXT NOT NULL,
  PRIMARY KEY (kind, id)
)
 WITHOUT ROWID;

CREATE TABLE event (
  id TEXT NOT NULL,
  project INTEGER NOT NULL,
  kind TEXT NOT NULL,
  target TEXT NOT NULL,
  value TEXT NOT NULL,
  supersedes TEXT,
  "by" TEXT NOT NULL,
  at INTEGER NOT NULL,
  content_hash TEXT NOT NULL,
  PRIMARY KEY (id),
  FOREIGN KEY(project) REFERENCES project (id)
);

CREATE INDEX event_target ON event (project, target);

CREATE TABLE horizon (
  project INTEGER NOT NULL,
  "before" INTEGER NOT NULL,
  PRIMARY KEY (project, "before"),
  FOREIGN KEY(project) REFERENCES project (id)
)
 WITHOUT ROWID;

CREATE TABLE run (
  id TEXT NOT NULL,
  version INTEGER NOT NULL,
  content_hash TEXT NOT NULL,
  project INTEGER NOT NULL,
  started INTEGER NOT NULL,
  ended INTEGER,
  clock_offset INTEGER,
  build TEXT,
  job TEXT,
  shard TEXT,
  attempt INTEGER,
  commit_id TEXT,
  tree TEXT,
  branch TEXT,
  base_branch TEXT,
  pr TEXT,
  dirty INTEGER,
  state TEXT,
  listing TEXT,
  environment TEXT,
  suite TEXT NOT NULL,
  sequence TEXT,
  completeness TEXT NOT NULL,
  selection TEXT,
  origin TEXT,
  context TEXT,
  extra TEXT,
  seen TEXT,
  outcomes TEXT NOT NULL,
  durations TEXT NOT NULL,
  PRIMARY KEY (id),
  FOREIGN KEY(project) REFERENCES project (id),
  FOREIGN KEY(state) REFERENCES state (id),
  FOREIGN KEY(listing) REFERENCES listing (id),
  FOREIGN KEY(environment) REFERENCES environment (id),
  FOREIGN KEY(suite) REFERENCES suite (id),
  FOREIGN KEY(sequence) REFERENCES sequence (id)
);

CREATE INDEX run_recent ON run (project, started, id);

CREATE INDEX run_state ON run (project, state, started);

CREATE TABLE test (
  id INTEGER NOT NULL,
  project INTEGER NOT NULL,
  nodeid TEXT NOT NULL,
  masked TEXT,
  PRIMARY KEY (id),
  FOREIGN KEY(project) REFERENCES project (id)
);

CREATE TABLE arrival (
  run TEXT NOT NULL,
  trust INTEGER NOT NULL,
  received INTEGER NOT NULL,
  via TEXT NOT NULL,
  PRIMARY KEY (run, trust),
  FOREIGN KEY(run) REFERENCES run (id)
)
 WITHOUT ROWID;

CREATE TABLE execution (
  run TEXT NOT NULL,
  test INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  durations TEXT,
  reason TEXT,
  worker TEXT,
  output TEXT,
  PRIMARY KEY (run, test, attempt),
  FOREIGN KEY(run) REFERENCES run (id)
)
 WITHOUT ROWID;

CREATE TABLE failure (
  run TEXT NOT NULL,
  test INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  n INTEGER NOT NULL,
  phase TEXT NOT NULL,
  subtest TEXT,
  failure_text TEXT NOT NULL,
  facts TEXT,
  PRIMARY KEY (run, test, attempt, n),
  FOREIGN KEY(run) REFERENCES run (id),
  FOREIGN KEY(failure_text) REFERENCES failure_text (id)
)
 WITHOUT ROWID;

CREATE TABLE verdict (
  run TEXT NOT NULL,
  id TEXT NOT NULL,
  test INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  n INTEGER NOT NULL,
  fighter TEXT NOT NULL,
  version INTEGER NOT NULL,
  label TEXT NOT NULL,
  confidence TEXT NOT NULL,
  introduced INTEGER NOT NULL,
  reason TEXT NOT NULL,
  evidence TEXT,
  at INTEGER NOT NULL,
  PRIMARY KEY (run, id),
  FOREIGN KEY(run) REFERENCES run (id),
  FOREIGN KEY(evidence) REFERENCES evidence (id)
)
 WITHOUT ROWID;

CREATE VIEW members AS
SELECT r.id AS run, m.key AS position, m.value AS test
FROM run r, json_each((
  WITH RECURSIVE chain(base, added, removed, depth) AS (
    SELECT base, added, removed, 0 FROM suite WHERE id = r.suite
    UNION ALL
    SELECT s.base, s.added, s.removed, c.depth + 1 FROM chain c JOIN suite s ON s.id = c.base
  ), edit(test, depth, here) AS (
    SELECT j.value, c.depth, 1 FROM chain c, json_each(c.added) j
    UNION ALL
    SELECT j.value, c.depth, 0 FROM chain c, json_each(c.removed) j
  ), newest(test, here, depth) AS (
    SELECT test, here, min(depth) FROM edit GROUP BY test
  )
  SELECT '[' || coalesce(group_concat(test), '') || ']'
  FROM (SELECT test FROM newest WHERE here ORDER BY test)
)) m;

CREATE VIEW runs AS
SELECT r.id, p.identity AS project, strftime('%Y-%m-%dT%H:%M:%SZ', r.started / 1000000, 'unixepoch') AS started,
  (r.ended - r.started) / 1000000.0 AS seconds,
  r.commit_id, r.branch, r.base_branch, r.pr, r.dirty, r.build, r.job, r.shard, r.attempt,
  r.state, r.environment, r.completeness,
  CASE (SELECT min(a.trust) FROM arrival a WHERE a.run = r.id)
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
FROM run r
JOIN project p ON p.id = r.project
JOIN suite s ON s.id = r.suite;

CREATE VIEW executions AS
SELECT x.run, p.identity AS project, t.nodeid, strftime('%Y-%m-%dT%H:%M:%SZ', r.started / 1000000, 'unixepoch') AS started, x.attempt, x.outcome,
  x.setup, x.call, x.teardown, x.reason, x.worker, r.commit_id, r.branch, r.state, r.environment
FROM (
SELECT m.run, m.test, 1 AS attempt,
  substr(r.outcomes, CASE WHEN length(r.outcomes) = 1 THEN 1 ELSE m.position + 1 END, 1) AS outcome,
  json_extract(r.durations, '$[' || (3 * m.position) || ']') / 10000.0 AS setup,
  json_extract(r.durations, '$[' || (3 * m.position + 1) || ']') / 10000.0 AS call,
  json_extract(r.durations, '$[' || (3 * m.position + 2) || ']') / 10000.0 AS teardown,
  NULL AS reason, NULL AS worker
FROM members m JOIN run r ON r.id = m.run
WHERE NOT EXISTS (SELECT 1 FROM execution e WHERE e.run = m.run AND e.test = m.test)
 UNION ALL
SELECT e.run, e.test, e.attempt, e.outcome,
  json_extract(e.durations, '$[0]') / 1000000.0, json_extract(e.durations, '$[1]') / 1000000.0,
  json_extract(e.durations, '$[2]') / 1000000.0, e.reason, e.worker
FROM execution e
) x
JOIN run r ON r.id = x.run
JOIN test t ON t.id = x.test
JOIN project p ON p.id = r.project
WHERE x.outcome <> '-';

CREATE VIEW tests AS
SELECT project, nodeid, count(DISTINCT run) AS runs,
  sum(CASE WHEN outcome IN ('.', 'X') THEN 1 ELSE 0 END) AS passes,
  sum(CASE WHEN outcome IN ('F', 'E', '?') THEN 1 ELSE 0 END) AS failures,
  sum(CASE WHEN outcome IN ('s', 'x') THEN 1 ELSE 0 END) AS skips,
  max(CASE WHEN outcome IN ('F', 'E', '?') THEN started END) AS last_failure,
  max(started) AS last_run
FROM executions
GROUP BY project, nodeid;

CREATE VIEW failures AS
SELECT f.run, p.identity AS project, t.nodeid, strftime('%Y-%m-%dT%H:%M:%SZ', r.started / 1000000, 'unixepoch') AS started, f.attempt, f.n, f.phase,
  f.subtest, c.exception, c.signature, f.facts, c.text
FROM failure f
JOIN failure_text c ON c.id = f.failure_text
JOIN run r ON r.id = f.run
JOIN test t ON t.id = f.test
JOIN project p ON p.id = r.project;

CREATE VIEW verdicts AS
SELECT v.run, p.identity AS project, t.nodeid, v.attempt, v.n, v.fighter, v.version, v.label,
  v.confidence, v.introduced, v.reason, strftime('%Y-%m-%dT%H:%M:%SZ', v.at / 1000000, 'unixepoch') AS at, e.body AS evidence
FROM verdict v
JOIN run r ON r.id = v.run
JOIN test t ON t.id = v.test
JOIN project p ON p.id = r.project
LEFT JOIN evidence e ON e.id = v.evidence;

