-- Attempts that their problem's verifier has not judged in its present version, and that version. Where a version depends
-- on the problem it is null here, and all its attempts come, with the versions under which they were judged.
WITH known AS (
    SELECT unnest($verifiers::VARCHAR[]) AS verifier, unnest($versions::VARCHAR[]) AS version
), seen AS (
    SELECT attempt_id, verifier, list(version) AS versions FROM verdicts GROUP BY ALL
)
SELECT attempts.id, attempts.answer, problems.verifier, problems.spec, known.version, seen.versions
FROM attempts
JOIN problems ON problems.id = attempts.problem_id
JOIN known ON known.verifier = problems.verifier
LEFT JOIN seen ON seen.attempt_id = attempts.id AND seen.verifier = problems.verifier
WHERE NOT coalesce(list_contains(seen.versions, known.version), false)
