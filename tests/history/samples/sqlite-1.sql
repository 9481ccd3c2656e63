PRAGMA application_id = 1181510470;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE arrival (
  run TEXT NOT NULL,
  trust INTEGER NOT NULL,
  received INTEGER NOT NULL,
  via TEXT NOT NULL,
  PRIMARY KEY (run, trust),
  FOREIGN KEY(run) REFERENCES run (id)
)
 WITHOUT ROWID;
INSERT INTO "arrival" VALUES('019b76daa800758b9d88f88dab1967e7',0,1795390063388554,'session');
INSERT INTO "arrival" VALUES('019b76db926071daa017249e16b3f9a3',1,1795390063399777,'session');
INSERT INTO "arrival" VALUES('019b76dc7cc07791a8cdf4354a029a16',2,1795390063409659,'session');
INSERT INTO "arrival" VALUES('019b76dd67207dc3abe975883ce9dab8',3,1795390063411638,'session');
CREATE TABLE environment (
  id TEXT NOT NULL,
  "key" TEXT NOT NULL,
  settings TEXT NOT NULL,
  distributions TEXT NOT NULL,
  PRIMARY KEY (id)
);
INSERT INTO "environment" VALUES('e3d78b33a3545a0eb37dbfe00cf300c1','931ea6e3bb8ae91f6a590767a883859b','{"os":"linux","python":"3.13"}','{"pytest":"9.2"}');
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
CREATE TABLE evidence (
  id TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (id)
);
INSERT INTO "evidence" VALUES('9a60ad124c8e52c24239d97048e5d15a','{"baseline":null,"seen":[1,2]}');
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
INSERT INTO "execution" VALUES('019b76db926071daa017249e16b3f9a3',-8104350132563179369,1,'s','[100,2000,100]','not today',NULL,NULL);
INSERT INTO "execution" VALUES('019b76db926071daa017249e16b3f9a3',-824237832655614653,1,'x','[100,2000,100]',NULL,NULL,NULL);
INSERT INTO "execution" VALUES('019b76db926071daa017249e16b3f9a3',4198033578655701224,1,'F','[100,2000,100]',NULL,NULL,NULL);
INSERT INTO "execution" VALUES('019b76db926071daa017249e16b3f9a3',6131638622596221200,1,'E','[100,2000,100]',NULL,NULL,NULL);
INSERT INTO "execution" VALUES('019b76db926071daa017249e16b3f9a3',7283430896187437991,1,'F','[100,2000,100]',NULL,NULL,NULL);
INSERT INTO "execution" VALUES('019b76dc7cc07791a8cdf4354a029a16',4198033578655701224,1,'F','[100,2000,100]',NULL,NULL,NULL);
INSERT INTO "execution" VALUES('019b76dc7cc07791a8cdf4354a029a16',4198033578655701224,2,'.','[100,2000,100]',NULL,NULL,NULL);
INSERT INTO "execution" VALUES('019b76dd67207dc3abe975883ce9dab8',-7152533520688895326,1,'?','[100,2000,100]',NULL,NULL,NULL);
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
INSERT INTO "failure" VALUES('019b76db926071daa017249e16b3f9a3',4198033578655701224,1,0,'call','i=1','745bf21414c9cd6393f8a8d52b0140c8',NULL);
INSERT INTO "failure" VALUES('019b76db926071daa017249e16b3f9a3',6131638622596221200,1,0,'call',NULL,'3da60c777a33b00e78e8e9ed5ac05f7e',NULL);
INSERT INTO "failure" VALUES('019b76db926071daa017249e16b3f9a3',7283430896187437991,1,0,'call',NULL,'3da60c777a33b00e78e8e9ed5ac05f7e',NULL);
CREATE TABLE failure_text (
  id TEXT NOT NULL,
  signature TEXT NOT NULL,
  signature_version INTEGER NOT NULL,
  exception TEXT,
  text TEXT NOT NULL,
  PRIMARY KEY (id)
);
INSERT INTO "failure_text" VALUES('3da60c777a33b00e78e8e9ed5ac05f7e','c5141bff4a80717126dfbee181a6c109',1,'AssertionError','E assert 1 == 2');
INSERT INTO "failure_text" VALUES('745bf21414c9cd6393f8a8d52b0140c8','748385c1be3a8f8ef70d483a97dec96e',1,'AssertionError','E é0000d800 ''\  ');
CREATE TABLE horizon (
  project INTEGER NOT NULL,
  "before" INTEGER NOT NULL,
  PRIMARY KEY (project, "before"),
  FOREIGN KEY(project) REFERENCES project (id)
)
 WITHOUT ROWID;
INSERT INTO "horizon" VALUES(-887360255196097662,1700000000000000);
CREATE TABLE listing (
  id TEXT NOT NULL,
  n INTEGER NOT NULL,
  base TEXT,
  files TEXT NOT NULL,
  PRIMARY KEY (id),
  FOREIGN KEY(base) REFERENCES listing (id)
);
INSERT INTO "listing" VALUES('fd00f450d1f553a348b3c037d908f6ff',12,NULL,'{"set":{"shop/part_0.py":"0000000000000000","shop/part_1.py":"0000000000000001","shop/part_10.py":"000000000000000a","shop/part_11.py":"000000000000000b","shop/part_2.py":"0000000000000002","shop/part_3.py":"0000000000000003","shop/part_4.py":"0000000000000004","shop/part_5.py":"0000000000000005","shop/part_6.py":"0000000000000006","shop/part_7.py":"0000000000000007","shop/part_8.py":"0000000000000008","shop/part_9.py":"0000000000000009"}}');
INSERT INTO "listing" VALUES('802da4fdfc6895555b1aad18c5c48460',12,'fd00f450d1f553a348b3c037d908f6ff','{"set":{"shop/part_3.py":"ffffffffffffffff"}}');
CREATE TABLE meta (
  "key" TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY ("key")
)
 WITHOUT ROWID;
INSERT INTO "meta" VALUES('database_id','01a2059643067cf4b4b2ca83f045dcfe');
INSERT INTO "meta" VALUES('oldest_reader','1');
INSERT INTO "meta" VALUES('schema_version','1');
CREATE TABLE project (
  id INTEGER NOT NULL,
  identity TEXT NOT NULL,
  label TEXT NOT NULL,
  PRIMARY KEY (id)
);
INSERT INTO "project" VALUES(-887360255196097662,'github.com/acme/shop','acme/shop');
INSERT INTO "project" VALUES(3285019745531966026,'local:1f','play');
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
INSERT INTO "run" VALUES('019b76daa800758b9d88f88dab1967e7',1,'3dc6033bac0ad5bb0baf70985a8fe57bbbe068e93183b348951dd4abac6e6eb2',-887360255196097662,1767225600000000,1767225601000000,NULL,NULL,NULL,NULL,NULL,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','e7a94049049901057c7679065d69e89c00000000','main',NULL,NULL,0,'6d0cbf0dd748ee71e82a19e67a44d84f','fd00f450d1f553a348b3c037d908f6ff','e3d78b33a3545a0eb37dbfe00cf300c1','b2f494c6e15902f3ae80367fa2f8dce2',NULL,'complete',NULL,NULL,NULL,NULL,NULL,'.','[1,23,1,1,21,1,1,32,1,1,35,1,1,22,1,1,34,1,1,30,1,1,27,1,1,24,1,1,26,1,1,20,1,1,33,1,1,29,1,1,31,1,1,25,1,1,36,1,1,28,1]');
INSERT INTO "run" VALUES('019b76db926071daa017249e16b3f9a3',1,'222bacdbff1e5955b76df6d58a2b53a088baa0bee379543cfc347676b71f0742',-887360255196097662,1767225660000000,1767225661000000,NULL,'b-17','tests','1/2',2,NULL,'f3d9a8d2f174cb963d76d5a34cac737700000000',NULL,'main','7',NULL,'5d4975d724801c90830b3b45ded40639','802da4fdfc6895555b1aad18c5c48460','e3d78b33a3545a0eb37dbfe00cf300c1','b2f494c6e15902f3ae80367fa2f8dce2','4aa0b057c643f4efdde14b94bfff96f2','complete',NULL,NULL,'{"label":"näïve","url":"https://ci.example.org/17"}','{"later":{"field":[1,null]}}','{"runs":["019b76daa800758b9d88f88dab1967e7"]}','s......x..F...EF.','[1,23,1,1,21,1,1,32,1,1,35,1,1,22,1,1,34,1,1,30,1,1,27,1,1,24,1,1,26,1,1,20,1,1,33,1,1,29,1,1,31,1,1,25,1,1,36,1,1,28,1]');
INSERT INTO "run" VALUES('019b76dc7cc07791a8cdf4354a029a16',1,'3b61edf0f3434ee5895a1b36fc0b2e312a5a3d4ed419e5330576ba769ade491f',-887360255196097662,1767225720000000,1767225721000000,NULL,NULL,NULL,NULL,NULL,NULL,'e7a94049049901057c7679065d69e89c00000000',NULL,NULL,NULL,NULL,'6d0cbf0dd748ee71e82a19e67a44d84f',NULL,'e3d78b33a3545a0eb37dbfe00cf300c1','319106a2cfe6f649fbd57d8dabb018d2',NULL,'interrupted',NULL,NULL,NULL,NULL,NULL,'...........R.....','[1,23,1,1,21,1,1,31,1,1,34,1,1,22,1,1,33,1,1,29,1,1,27,1,1,36,1,1,24,1,1,26,1,1,20,1,1,32,1,1,28,1,1,30,1,1,25,1,1,35,1]');
INSERT INTO "run" VALUES('019b76dd67207dc3abe975883ce9dab8',1,'c939528f0300a6c2ca19d595ef74e0cd5a041312dab7f550e4753fbf32798a9f',3285019745531966026,1767225780000000,1767225781000000,NULL,NULL,NULL,NULL,NULL,NULL,'e7a94049049901057c7679065d69e89c00000000',NULL,NULL,NULL,NULL,'6d0cbf0dd748ee71e82a19e67a44d84f',NULL,'e3d78b33a3545a0eb37dbfe00cf300c1','a0f3bc4a9d808d9f2332fb907e17ddf2',NULL,'complete',NULL,NULL,NULL,NULL,NULL,'?','[1,20,1]');
CREATE TABLE sequence (
  id TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (id)
);
INSERT INTO "sequence" VALUES('4aa0b057c643f4efdde14b94bfff96f2','[[3,1,2],[0]]');
CREATE TABLE state (
  id TEXT NOT NULL,
  tree TEXT,
  digest TEXT,
  PRIMARY KEY (id)
);
INSERT INTO "state" VALUES('6d0cbf0dd748ee71e82a19e67a44d84f','e7a94049049901057c7679065d69e89c00000000',NULL);
INSERT INTO "state" VALUES('5d4975d724801c90830b3b45ded40639','f3d9a8d2f174cb963d76d5a34cac737700000000',NULL);
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
INSERT INTO "suite" VALUES('b2f494c6e15902f3ae80367fa2f8dce2',17,NULL,'[4198033578655701224,-7244287897988665995,-4750210932387435005,-8104350132563179369,1680141840022742254,6131638622596221200,2967746526643904077,-824237832655614653,8420300960750051533,4969479432526263468,-1909178607142946168,5440107798572870975,-5531818948311788645,4781545844752920400,-3772728514463487403,-5010778836271535121,7283430896187437991]','[]',NULL);
INSERT INTO "suite" VALUES('319106a2cfe6f649fbd57d8dabb018d2',17,'b2f494c6e15902f3ae80367fa2f8dce2','[450659090110393726]','[8420300960750051533]','{"at":[16]}');
INSERT INTO "suite" VALUES('a0f3bc4a9d808d9f2332fb907e17ddf2',1,NULL,'[-7152533520688895326]','[]',NULL);
CREATE TABLE test (
  id INTEGER NOT NULL,
  project INTEGER NOT NULL,
  nodeid TEXT NOT NULL,
  masked TEXT,
  PRIMARY KEY (id),
  FOREIGN KEY(project) REFERENCES project (id)
);
INSERT INTO "test" VALUES(-8104350132563179369,-887360255196097662,'tests/test_0.py::test_3',NULL);
INSERT INTO "test" VALUES(-7244287897988665995,-887360255196097662,'tests/test_0.py::test_1',NULL);
INSERT INTO "test" VALUES(-7152533520688895326,3285019745531966026,'a.py::b',NULL);
INSERT INTO "test" VALUES(-5531818948311788645,-887360255196097662,'tests/test_3.py::test_12',NULL);
INSERT INTO "test" VALUES(-5010778836271535121,-887360255196097662,'tests/test_3.py::test_15',NULL);
INSERT INTO "test" VALUES(-4750210932387435005,-887360255196097662,'tests/test_0.py::test_2',NULL);
INSERT INTO "test" VALUES(-3772728514463487403,-887360255196097662,'tests/test_3.py::test_14',NULL);
INSERT INTO "test" VALUES(-1909178607142946168,-887360255196097662,'tests/test_2.py::test_10',NULL);
INSERT INTO "test" VALUES(-824237832655614653,-887360255196097662,'tests/test_1.py::test_7',NULL);
INSERT INTO "test" VALUES(450659090110393726,-887360255196097662,'tests/test_9.py::test_new',NULL);
INSERT INTO "test" VALUES(1680141840022742254,-887360255196097662,'tests/test_1.py::test_4',NULL);
INSERT INTO "test" VALUES(2967746526643904077,-887360255196097662,'tests/test_1.py::test_6',NULL);
INSERT INTO "test" VALUES(4198033578655701224,-887360255196097662,'tests/test_0.py::test_0',NULL);
INSERT INTO "test" VALUES(4781545844752920400,-887360255196097662,'tests/test_3.py::test_13',NULL);
INSERT INTO "test" VALUES(4969479432526263468,-887360255196097662,'tests/test_2.py::test_9',NULL);
INSERT INTO "test" VALUES(5440107798572870975,-887360255196097662,'tests/test_2.py::test_11',NULL);
INSERT INTO "test" VALUES(6131638622596221200,-887360255196097662,'tests/test_1.py::test_5',NULL);
INSERT INTO "test" VALUES(7283430896187437991,-887360255196097662,'tests/test_ä.py::test_[0000-d800-🧪-''\]',NULL);
INSERT INTO "test" VALUES(8420300960750051533,-887360255196097662,'tests/test_2.py::test_8',NULL);
CREATE TABLE tombstone (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  at INTEGER NOT NULL,
  "by" TEXT NOT NULL,
  PRIMARY KEY (kind, id)
)
 WITHOUT ROWID;
INSERT INTO "tombstone" VALUES('run','01a20596433b716abcb242a42cd0960d',1767225600000000,'ann');
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
INSERT INTO "verdict" VALUES('019b76db926071daa017249e16b3f9a3','64ba2c4e17df9ea90ae2f9edf9a8be64',4198033578655701224,1,0,'joint',1,'flaky','proved',0,'passed on the same state','9a60ad124c8e52c24239d97048e5d15a',1767225720000000);
INSERT INTO "verdict" VALUES('019b76db926071daa017249e16b3f9a3','dc65d9d641e76966eab04ff821fcd389',7283430896187437991,1,0,'same_state',1,'flaky','proved',0,'passed on the same state','9a60ad124c8e52c24239d97048e5d15a',1767225720000000);
CREATE INDEX failure_text_signature ON failure_text (signature);
CREATE INDEX event_target ON event (project, target);
CREATE INDEX run_recent ON run (project, started, id);
CREATE INDEX run_state ON run (project, state, started);
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
COMMIT;
