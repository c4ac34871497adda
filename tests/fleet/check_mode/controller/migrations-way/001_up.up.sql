CREATE TABLE up (a int);
