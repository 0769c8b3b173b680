-- Mean pass@1 by domain and model; policies in training apart, whose every step is another model. The interval is Wilson's
-- with n = problems: right however alike the attempts at one problem are, and wider than need be where they are not.
SELECT '' AS stage, domain, model_id AS model, count(*) AS n, sum(num_attempts)::BIGINT AS attempts,
       avg(pass_at_1) AS rate, wilson_low(sum(pass_at_1), count(*)) AS low, wilson_high(sum(pass_at_1), count(*)) AS high
FROM difficulty
WHERE policy_version = ''
GROUP BY domain, model_id
ORDER BY domain, model
