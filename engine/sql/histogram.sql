-- Problems by model, domain and tenth of the pass rate; policies in training apart, whose every step is another model.
SELECT model_id, domain, least(floor(pass_at_1 * 10), 9)::INTEGER AS tenth, count(*) AS problems
FROM difficulty
WHERE policy_version = ''
GROUP BY ALL
ORDER BY ALL
