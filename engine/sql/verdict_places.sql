-- Pairs of an attempt and a verdict on it, one of which came in after the place $attempt or $verdict.
INSERT INTO verdict_places
SELECT attempts.place, verdicts.place
FROM attempt_places AS attempts
JOIN (FROM verdicts_of WHERE place > $verdict) AS verdicts USING ("key")
UNION ALL
SELECT attempts.place, verdicts.place
FROM (FROM attempt_places WHERE place > $attempt) AS attempts
JOIN (FROM verdicts_of WHERE place <= $verdict) AS verdicts USING ("key")
ORDER BY ALL;
