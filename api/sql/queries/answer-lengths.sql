-- How long answers are, by domain, model and outcome: quantiles of their tokens.
SELECT domain, model_id, outcome, count(*) AS attempts, quantile_cont(tokens_out, [0.05, 0.25, 0.5, 0.75, 0.95]) AS tokens,
       avg((finish_reason = 'length')::INTEGER) AS cut_off
FROM judged
GROUP BY ALL
ORDER BY ALL
