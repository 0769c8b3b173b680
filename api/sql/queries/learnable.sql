-- Problems that a model sometimes solves: those that reinforcement learning can learn from.
-- $low number = 0.2: the least pass rate
-- $high number = 0.8: the greatest pass rate
-- $domain text = null: only this domain
-- $limit integer = 100: at most so many
SELECT problem_id, difficulty.domain, model_id, pass_at_1, num_attempts, prompt
FROM difficulty
JOIN problems ON problems.id = problem_id
WHERE pass_at_1 BETWEEN $low AND $high AND ($domain IS NULL OR difficulty.domain = $domain)
  AND NOT list_contains(tags, 'heldout')
ORDER BY abs(pass_at_1 - 0.5), problem_id
LIMIT $limit
