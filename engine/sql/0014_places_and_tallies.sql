-- Where rows stand: `place` is the rowid of a row of the table whose column hashes to `key`. Rows come sorted by key, batch
-- by batch, so that a look-up reads little; two texts may have one key. Store.sync fills these tables.
CREATE TABLE problem_places ("key" UBIGINT NOT NULL, place BIGINT NOT NULL);
CREATE TABLE attempt_places ("key" UBIGINT NOT NULL, place BIGINT NOT NULL);
CREATE TABLE attempts_of ("key" UBIGINT NOT NULL, place BIGINT NOT NULL);
CREATE TABLE verdicts_of ("key" UBIGINT NOT NULL, place BIGINT NOT NULL);
CREATE TABLE trace_places ("key" UBIGINT NOT NULL, place BIGINT NOT NULL);
CREATE TABLE traces_of ("key" UBIGINT NOT NULL, place BIGINT NOT NULL);
-- DuckDB's hash is not promised to stay; keys of another are made anew.
CREATE TABLE hashed_by (probe UBIGINT NOT NULL);
-- Places of the verdicts of attempts that have several: only those can be replaced by a later one.
CREATE TABLE several_verdicts (place BIGINT NOT NULL);

-- Verdicts that a later version of their verifier replaced.
CREATE VIEW replaced_verdicts AS
WITH several AS (
    FROM verdicts WHERE rowid IN (FROM several_verdicts)
)
SELECT DISTINCT attempt_id, verifier, one.version
FROM several AS one
JOIN several AS later USING (attempt_id, verifier)
WHERE is_newer(later.version, one.version);

-- Attempts with the newest verdict of their problem's verifier; null where there is none yet.
CREATE MACRO with_verdict(attempts_table, verdicts_table) AS TABLE
SELECT attempts.*, problems.domain, verdicts.version AS verifier_version, verdicts.outcome, verdicts.score, verdicts.reason
FROM query_table(attempts_table) AS attempts
JOIN problems ON problems.id = attempts.problem_id
LEFT JOIN (FROM query_table(verdicts_table) ANTI JOIN replaced_verdicts USING (attempt_id, verifier, version)) AS verdicts
    ON verdicts.attempt_id = attempts.id AND verdicts.verifier = problems.verifier;
CREATE OR REPLACE MACRO judged_among(attempts_table) AS TABLE
FROM with_verdict(attempts_table, 'verdicts') WHERE outcome IS NOT NULL;
CREATE OR REPLACE VIEW judged AS FROM judged_among('attempts');

-- Of what is unscored, those whose turn it is: so many at once as fit into memory.
CREATE TABLE scoring (problem_id VARCHAR NOT NULL);
CREATE OR REPLACE VIEW unscored_attempts AS
FROM attempts
WHERE rowid IN (SELECT place FROM attempts_of WHERE "key" IN (SELECT hash(problem_id) FROM scoring))
  AND problem_id IN (FROM scoring);
CREATE VIEW unscored_verdicts AS
FROM verdicts
WHERE rowid IN (SELECT place FROM verdicts_of WHERE "key" IN (SELECT hash(id) FROM unscored_attempts));

-- What became of the attempts at each problem; corrections apart. Filled by tallies.sql, and difficulty from it.
CREATE TABLE tallies (
    problem_id VARCHAR NOT NULL,
    domain VARCHAR NOT NULL,
    model_id VARCHAR NOT NULL,
    policy_version VARCHAR NOT NULL,
    sampler VARCHAR NOT NULL,
    correction BOOLEAN NOT NULL,
    num_attempts INTEGER NOT NULL,
    num_passed INTEGER NOT NULL,
    num_failed INTEGER NOT NULL,
    num_unparseable INTEGER NOT NULL,
    num_verifier_errors INTEGER NOT NULL,
    num_whole_passes INTEGER NOT NULL,
    tokens_in BIGINT NOT NULL,
    tokens_out BIGINT NOT NULL,
    seconds DOUBLE NOT NULL
);

-- Without its key, for the reason of 0012, and sorted by problem, batch by batch.
DROP TABLE difficulty;
CREATE TABLE difficulty (
    problem_id VARCHAR NOT NULL,
    domain VARCHAR NOT NULL,
    model_id VARCHAR NOT NULL,
    policy_version VARCHAR NOT NULL,
    sampler VARCHAR NOT NULL,
    num_attempts INTEGER NOT NULL,
    num_passed INTEGER NOT NULL,
    num_unparseable INTEGER NOT NULL,
    pass_at_1 DOUBLE NOT NULL,
    pass_at_2 DOUBLE,
    pass_at_4 DOUBLE,
    pass_at_8 DOUBLE,
    pass_at_16 DOUBLE,
    wilson_low DOUBLE NOT NULL,
    wilson_high DOUBLE NOT NULL
);

-- pass@k by the unbiased estimator 1 - C(n-c, k) / C(n, k) (Chen et al. 2021, equation 1), null where k > n.
-- C(n-c, k) / C(n, k) is the product over i < k of (n - c - i) / (n - i). At k = 1 that is c / n, written so because
-- 1 - 0.8 is less than 0.2, which would fall out of a band that begins there.
CREATE MACRO pass_at(k, n, c) AS
    CASE WHEN n < k THEN NULL WHEN k = 1 THEN c / n
         ELSE 1 - list_product([greatest(n - c - i, 0) / (n - i) FOR i IN range(k)]) END;

-- pass@1 to pass@16 of every problem, in a list, null where there are too few attempts; where sampling stops at a pass there
-- is no pass@k. Problems are many, pairs of n and c few, so the products are taken once a pair.
CREATE VIEW pass_curves AS
WITH curves AS (
    SELECT num_attempts, num_passed, [pass_at(k, num_attempts, num_passed) FOR k IN range(1, 17)] AS curve
    FROM (SELECT DISTINCT num_attempts, num_passed FROM difficulty)
)
SELECT problem_id, domain, model_id, policy_version, sampler, num_attempts, num_passed, curve, wilson_low, wilson_high
FROM difficulty
JOIN curves USING (num_attempts, num_passed)
WHERE wanted_passes(sampler) IS NULL;

CREATE OR REPLACE VIEW funnel AS
SELECT 'problems' AS step, count(*) AS records FROM problems
UNION ALL SELECT 'attempts', count(*) FROM attempts
UNION ALL FROM (
    UNPIVOT (SELECT sum(num_passed)::BIGINT AS "verdict: pass", sum(num_failed)::BIGINT AS "verdict: fail",
                    sum(num_unparseable)::BIGINT AS "verdict: unparseable",
                    sum(num_verifier_errors)::BIGINT AS "verdict: verifier_error" FROM tallies)
    ON COLUMNS(*) INTO NAME step VALUE records
) WHERE records > 0
UNION ALL FROM (SELECT 'trace: ' || kind AS kind, count(*) FROM traces GROUP BY ALL ORDER BY kind)
UNION ALL FROM (
    SELECT 'dropped: ' || step || ': ' || split_part(reason, ':', 1) AS kind, count(*) FROM dropped GROUP BY ALL ORDER BY kind
);

-- What answers cost: tokens and the seconds that their models took, and how much of it per answer that passed.
CREATE VIEW tokens AS
SELECT domain, model_id, policy_version, sampler, correction, sum(num_attempts)::BIGINT AS attempts,
       sum(num_passed)::BIGINT AS passed, sum(tokens_in)::BIGINT AS tokens_in, sum(tokens_out)::BIGINT AS tokens_out,
       sum(seconds) AS seconds, sum(tokens_out) / nullif(sum(num_passed), 0) AS tokens_out_per_pass
FROM tallies
GROUP BY ALL;

-- Which record comes from which: a row for every step back.
CREATE VIEW lineage AS
SELECT id AS record_id, 'problem' AS kind, 'varied from' AS relation, unnest(parents) AS from_id FROM problems
UNION ALL SELECT record_id, 'record', 'imported from', source || '#' || "row" FROM origins
UNION ALL SELECT id, 'attempt', 'answers', problem_id FROM attempts
UNION ALL SELECT id, 'attempt', 'corrects', failed_attempt_id FROM attempts WHERE failed_attempt_id IS NOT NULL
UNION ALL SELECT id, 'trace', 'made of', attempt_id FROM traces WHERE attempt_id <> ''
UNION ALL SELECT id, 'trace', 'solves', problem_id FROM traces WHERE problem_id <> ''
UNION ALL SELECT id, 'trace', 'corrects', failed_attempt_id FROM traces WHERE failed_attempt_id IS NOT NULL;

-- How students read teachers' traces. rsr is the rank-surprisal ratio, mean rank over mean NLL; as for local_nll, lower
-- fits better. Ends of 95% intervals are of a ratio of sums over problems, linearised; null for a single problem.
CREATE VIEW teacher_fit AS
WITH by_problem AS (
    SELECT fits.model_id AS student, fits.definition, traces.domain, traces.teacher,
           coalesce(nullif(traces.problem_id, ''), traces.id) AS problem, count(*) AS n, sum(fits."rank") AS "rank",
           sum(fits.nll) AS nll, sum(fits.local_nll) AS local_nll, sum(fits.num_tokens) AS tokens
    FROM fits
    JOIN traces ON traces.id = fits.trace_id
    GROUP BY ALL
), ratios AS (
    SELECT *, sum("rank") OVER one / sum(nll) OVER one AS rsr, sum(local_nll) OVER one / sum(n) OVER one AS mean_local
    FROM by_problem
    WINDOW one AS (PARTITION BY student, definition, domain, teacher)
), errors AS (
    SELECT student, definition, domain, teacher, sum(n)::BIGINT AS traces, count(*) AS problems, any_value(rsr) AS rsr,
           any_value(mean_local) AS local_nll, sum(nll) / sum(n) AS nll, sum(tokens) / sum(n) AS tokens,
           1.959963984540054 * sqrt(count(*) / nullif(count(*) - 1, 0)) AS width,
           sqrt(sum(("rank" - rsr * nll) ** 2)) / sum(nll) AS rsr_error,
           sqrt(sum((local_nll - mean_local * n) ** 2)) / sum(n) AS local_error
    FROM ratios
    GROUP BY student, definition, domain, teacher
)
SELECT student, definition, domain, teacher, traces, problems, rsr, rsr - width * rsr_error AS rsr_low,
       rsr + width * rsr_error AS rsr_high, local_nll, local_nll - width * local_error AS local_nll_low,
       local_nll + width * local_error AS local_nll_high, nll, tokens
FROM errors;
