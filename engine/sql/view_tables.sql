-- What there is to ask about: tables and views with their columns.
SELECT table_name AS "name", list({name: column_name, type: lower(data_type)} ORDER BY column_index) AS columns
FROM duckdb_columns()
WHERE NOT internal AND database_name = current_database()
GROUP BY table_name
ORDER BY table_name
