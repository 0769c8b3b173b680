-- Large tables lose their keys: an index of ids has to fit into memory, twice the size of what it indexes on disk, and
-- slows the taking in of parts four times. `Store.sync` leaves out what is in already.
ALTER TABLE problems RENAME TO keyed_problems;
CREATE TABLE problems (
    id VARCHAR NOT NULL,
    prompt VARCHAR NOT NULL,
    domain VARCHAR NOT NULL,
    verifier VARCHAR NOT NULL,
    spec VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    parents VARCHAR[] NOT NULL,
    tags VARCHAR[] NOT NULL
);
INSERT INTO problems FROM keyed_problems;
DROP TABLE keyed_problems;

ALTER TABLE attempts RENAME TO keyed_attempts;
CREATE TABLE attempts (
    id VARCHAR NOT NULL,
    problem_id VARCHAR NOT NULL,
    model_id VARCHAR NOT NULL,
    policy_version VARCHAR NOT NULL,
    sampler VARCHAR NOT NULL,
    "index" INTEGER NOT NULL,
    seed BIGINT NOT NULL,
    sampling VARCHAR NOT NULL,
    messages VARCHAR NOT NULL,
    answer VARCHAR NOT NULL,
    token_ids INTEGER[] NOT NULL,
    token_logprobs FLOAT[] NOT NULL,
    tokens_in INTEGER NOT NULL,
    tokens_out INTEGER NOT NULL,
    seconds DOUBLE NOT NULL,
    finish_reason VARCHAR NOT NULL,
    failed_attempt_id VARCHAR
);
INSERT INTO attempts FROM keyed_attempts;
DROP TABLE keyed_attempts;

ALTER TABLE verdicts RENAME TO keyed_verdicts;
CREATE TABLE verdicts (
    attempt_id VARCHAR NOT NULL,
    verifier VARCHAR NOT NULL,
    version VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,
    score DOUBLE NOT NULL,
    reason VARCHAR NOT NULL,
    seconds DOUBLE NOT NULL
);
INSERT INTO verdicts FROM keyed_verdicts;
DROP TABLE keyed_verdicts;

ALTER TABLE traces RENAME TO keyed_traces;
CREATE TABLE traces (
    id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    domain VARCHAR NOT NULL,
    messages VARCHAR NOT NULL,
    learn BOOLEAN[] NOT NULL,
    problem_id VARCHAR NOT NULL,
    attempt_id VARCHAR NOT NULL,
    failed_attempt_id VARCHAR,
    teacher VARCHAR NOT NULL
);
INSERT INTO traces FROM keyed_traces;
DROP TABLE keyed_traces;

ALTER TABLE drops RENAME TO keyed_drops;
CREATE TABLE drops (record_id VARCHAR NOT NULL, step VARCHAR NOT NULL, reason VARCHAR NOT NULL);
INSERT INTO drops FROM keyed_drops;
DROP TABLE keyed_drops;

ALTER TABLE origins RENAME TO keyed_origins;
CREATE TABLE origins (
    record_id VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    "row" VARCHAR NOT NULL,
    licence VARCHAR NOT NULL
);
INSERT INTO origins FROM keyed_origins;
DROP TABLE keyed_origins;

-- Problems whose difficulty has to be computed anew, for parts that came in touch them. A problem may stand here twice.
CREATE TABLE unscored (problem_id VARCHAR NOT NULL);
CREATE VIEW unscored_attempts AS FROM attempts SEMI JOIN unscored USING (problem_id);

-- Versions that are numbers are ordered as numbers, and follow those that are not.
CREATE MACRO is_newer(one, other) AS
    (coalesce(try_cast(one AS DOUBLE), '-inf'), one) > (coalesce(try_cast(other AS DOUBLE), '-inf'), other);

-- The newest verdict of each attempt of a table or view: a verifier's later version replaces its earlier one. By a join,
-- which goes to disk where a window would have to hold all it sees.
CREATE MACRO judged_among(attempts_table) AS TABLE
SELECT attempts.*, problems.domain, verdicts.version AS verifier_version, verdicts.outcome, verdicts.score, verdicts.reason
FROM query_table(attempts_table) AS attempts
JOIN problems ON problems.id = attempts.problem_id
JOIN verdicts ON verdicts.attempt_id = attempts.id AND verdicts.verifier = problems.verifier
WHERE NOT EXISTS (
    FROM verdicts AS later
    WHERE later.attempt_id = verdicts.attempt_id AND later.verifier = verdicts.verifier
      AND is_newer(later.version, verdicts.version)
);
CREATE OR REPLACE VIEW judged AS FROM judged_among('attempts');
