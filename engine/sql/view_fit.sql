FROM teacher_fit ORDER BY student, domain, rsr, teacher
