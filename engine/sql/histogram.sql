-- Problems by model, domain and tenth of the pass rate.
SELECT model_id, domain, least(floor(pass_at_1 * 10), 9)::INTEGER AS tenth, count(*) AS problems
FROM difficulty
GROUP BY ALL
ORDER BY ALL
