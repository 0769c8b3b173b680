-- How many problems lie in each tenth of the pass rate, by domain and model; policies in training apart.
-- $model text = null: only this model
SELECT domain, model_id, least(floor(pass_at_1 * 10), 9)::INTEGER AS tenth, count(*) AS problems
FROM difficulty
WHERE policy_version = '' AND ($model IS NULL OR model_id = $model)
GROUP BY ALL
ORDER BY ALL
