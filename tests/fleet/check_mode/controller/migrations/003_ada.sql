INSERT INTO people VALUES ('ada');
