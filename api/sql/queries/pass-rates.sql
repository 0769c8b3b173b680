-- The mean pass rate of each domain and model over problems, with its 95% interval; the attempts at one problem depend on
-- each other, so the interval comes from the spread between problems.
SELECT domain, model_id, policy_version, sampler, count(*) AS problems, avg(pass_at_1) AS pass_rate,
       greatest(0, pass_rate - 1.96 * stddev_samp(pass_at_1) / sqrt(count(*))) AS low,
       least(1, pass_rate + 1.96 * stddev_samp(pass_at_1) / sqrt(count(*))) AS high
FROM difficulty
GROUP BY ALL
ORDER BY ALL
