-- What each model has read and written, and how long it took.
SELECT model_id, policy_version, count(*) AS attempts, sum(tokens_in) AS tokens_in, sum(tokens_out) AS tokens_out,
       quantile_cont(tokens_out, 0.5) AS median_out, max(tokens_out) AS most_out, sum(seconds) AS seconds
FROM attempts
GROUP BY ALL
ORDER BY ALL
