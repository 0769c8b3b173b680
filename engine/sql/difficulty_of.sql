-- How hard the problem $id was for each model.
SELECT * EXCLUDE ("key") FROM measured WHERE "key" = hash($id) AND problem_id = $id ORDER BY ALL
