-- The newest verdict of each attempt: a verifier's later version replaces its earlier one. Versions that are
-- numbers are ordered as numbers, and follow those that are not.
CREATE VIEW judged AS
SELECT attempts.*, problems.domain, verdicts.outcome, verdicts.score, verdicts.reason
FROM attempts
JOIN problems ON problems.id = attempts.problem_id
JOIN verdicts ON verdicts.attempt_id = attempts.id AND verdicts.verifier = problems.verifier
QUALIFY row_number() OVER (
    PARTITION BY attempts.id
    ORDER BY try_cast(verdicts.version AS DOUBLE) DESC NULLS LAST, verdicts.version DESC
) = 1;

CREATE VIEW pass_rates AS
SELECT domain, model_id, sampler, count(*) AS problems,
       avg(pass_at_1) AS pass_at_1, sum(num_attempts) AS attempts, sum(num_unparseable) AS unparseable
FROM difficulty
GROUP BY ALL;

CREATE VIEW funnel AS
SELECT 'problems' AS step, count(*) AS records FROM problems
UNION ALL SELECT 'attempts', count(*) FROM attempts
UNION ALL SELECT 'verdict: ' || outcome, count(*) FROM judged GROUP BY outcome
UNION ALL SELECT 'trace: ' || kind, count(*) FROM traces GROUP BY kind
UNION ALL SELECT 'dropped: ' || step || ': ' || reason, count(*) FROM drops GROUP BY step, reason;
