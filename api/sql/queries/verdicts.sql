-- The outcomes of each domain's and model's attempts, and their share.
SELECT *, attempts / sum(attempts) OVER (PARTITION BY domain, model_id) AS share
FROM (SELECT domain, model_id, outcome, count(*) AS attempts FROM judged GROUP BY ALL)
ORDER BY ALL
