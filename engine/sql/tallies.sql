-- What became of the attempts at the problems whose turn it is.
INSERT INTO tallies
SELECT problem_id, domain, model_id, policy_version, sampler, failed_attempt_id IS NOT NULL, count(*),
       count(*) FILTER (outcome = 'pass'), count(*) FILTER (outcome = 'fail'), count(*) FILTER (outcome = 'unparseable'),
       count(*) FILTER (outcome = 'verifier_error'), count(*) FILTER (outcome = 'pass' AND finish_reason = 'stop'),
       sum(tokens_in), sum(tokens_out), sum(seconds)
FROM with_verdict('unscored_attempts', 'unscored_verdicts')
GROUP BY ALL
ORDER BY problem_id;
