-- Every attempt with the newest verdict of its problem's verifier, and why its problem is left out if it is.
WITH why AS (
    SELECT record_id, min(split_part(reason, ':', 1)) AS kind FROM dropped GROUP BY record_id
), origin AS (
    SELECT record_id, min_by(licence, source) AS licence FROM origins GROUP BY record_id
), newest AS (
    SELECT attempt_id, verifier, version, outcome, score, reason
    FROM verdicts
    WHERE NOT EXISTS (
        FROM verdicts AS later
        WHERE later.attempt_id = verdicts.attempt_id AND later.verifier = verdicts.verifier
          AND is_newer(later.version, verdicts.version)
    )
)
SELECT attempts.*, problems.domain, problems.source, coalesce(origin.licence, '') AS licence,
       newest.verifier, newest.version AS verifier_version, newest.outcome, newest.score, newest.reason,
       why.kind AS dropped, coalesce(list_contains(problems.tags, $heldout), false) AS heldout
FROM attempts
JOIN problems ON problems.id = attempts.problem_id -- which drafts of variants have not
LEFT JOIN origin ON origin.record_id = attempts.problem_id
LEFT JOIN newest ON newest.attempt_id = attempts.id AND newest.verifier = problems.verifier
LEFT JOIN why ON why.record_id = attempts.problem_id
WHERE $ids IS NULL OR list_contains($ids, attempts.id)
