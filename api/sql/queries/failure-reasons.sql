-- What the verifiers say most often of answers that did not pass.
-- $domain text = null: only this domain
-- $limit integer = 20: at most so many
SELECT domain, outcome, split_part(reason, ':', 1) AS why, count(*) AS attempts, any_value(id) AS example
FROM judged
WHERE outcome <> 'pass' AND ($domain IS NULL OR domain = $domain)
GROUP BY ALL
ORDER BY attempts DESC, domain, outcome, why
LIMIT $limit
