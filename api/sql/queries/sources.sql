-- Where the problems come from.
SELECT source, domain, verifier, count(*) AS problems, count(*) FILTER (list_contains(tags, 'heldout')) AS heldout
FROM problems
GROUP BY ALL
ORDER BY ALL
