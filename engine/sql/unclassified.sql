-- Failed attempts that have no kind of the present rules, of $versions in the order of $domains, for their newest verdict.
SELECT judged.id, judged.domain, judged.answer, judged.messages, judged.outcome, judged.reason,
       judged.finish_reason, judged.verifier_version, problems.verifier, problems.spec
FROM judged
JOIN problems ON problems.id = judged.problem_id
LEFT JOIN failure_kinds AS known
    ON known.attempt_id = judged.id AND known.verdict = judged.verifier_version
    AND known.version = $versions[list_position($domains, judged.domain)]
WHERE judged.outcome IN ('fail', 'unparseable') AND known.attempt_id IS NULL
