-- Difficulty by policy version, too; difficulty.sql fills the table.
DROP TABLE difficulty;
CREATE TABLE difficulty (
    problem_id VARCHAR,
    domain VARCHAR,
    model_id VARCHAR,
    policy_version VARCHAR,
    sampler VARCHAR,
    num_attempts INTEGER,
    num_passed INTEGER,
    num_unparseable INTEGER,
    pass_at_1 DOUBLE,
    pass_at_2 DOUBLE,
    pass_at_4 DOUBLE,
    pass_at_8 DOUBLE,
    wilson_low DOUBLE,
    wilson_high DOUBLE,
    PRIMARY KEY (problem_id, model_id, policy_version, sampler)
);
CREATE OR REPLACE VIEW pass_rates AS
SELECT domain, model_id, policy_version, sampler, count(*) AS problems,
       avg(pass_at_1) AS pass_at_1, sum(num_attempts) AS attempts, sum(num_unparseable) AS unparseable
FROM difficulty
GROUP BY ALL;

-- The passes at which a sampler stops asking a problem; null where the number of attempts was fixed beforehand.
CREATE MACRO wanted_passes(sampler) AS try_cast(regexp_extract(sampler, '-until-([0-9]+)$', 1) AS INTEGER);

-- The newest run of each cleaning step, by the record that marks it; `said` is how many records it looked at. A run
-- that took another back, and those marked before that number was kept, are not here.
CREATE VIEW cleaning_runs AS
WITH marked AS (
    SELECT regexp_extract(step, '^(.*)/([0-9]+)$', ['step', 'run']) AS parts, reason
    FROM drops
    WHERE record_id = ''
), newest AS (
    SELECT parts.step AS step, parts.run::INTEGER AS run, reason
    FROM marked
    QUALIFY row_number() OVER (PARTITION BY step ORDER BY run DESC) = 1
)
SELECT step, run, regexp_extract(reason, '^looked at ([0-9]+)$', 1)::BIGINT AS looked_at
FROM newest
WHERE reason ^@ 'looked at ';
