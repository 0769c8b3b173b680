-- The problems that fail most surely: the lowest upper ends of the pass rate's interval.
-- $domain text = null: only this domain
-- $model text = null: for this model
-- $limit integer = 20: at most so many
SELECT difficulty.domain, model_id, pass_at_1, wilson_low, wilson_high, num_attempts, problem_id, prompt
FROM difficulty
JOIN problems ON problems.id = problem_id
WHERE ($domain IS NULL OR difficulty.domain = $domain) AND ($model IS NULL OR model_id = $model)
ORDER BY wilson_high, num_attempts DESC, problem_id
LIMIT $limit
