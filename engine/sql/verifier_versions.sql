-- Verdicts by verifier, version and outcome.
SELECT verifier, version, outcome, count(*) AS verdicts
FROM verdicts
GROUP BY ALL
ORDER BY ALL
