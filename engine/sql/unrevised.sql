-- Corrections that passed and have not been read by this $version, with what they correct.
SELECT fixed.id, fixed.domain, fixed.answer, fixed.messages, fixed.finish_reason, failed.answer AS failed,
       problems.prompt, problems.verifier, problems.spec
FROM judged AS fixed
JOIN problems ON problems.id = fixed.problem_id
JOIN attempts AS failed ON failed.id = fixed.failed_attempt_id
LEFT JOIN revisions AS known ON known.attempt_id = fixed.id AND known.version = $version
WHERE fixed.outcome = 'pass' AND known.attempt_id IS NULL
