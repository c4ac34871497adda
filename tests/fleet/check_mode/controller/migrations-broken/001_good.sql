CREATE TABLE good (a int);
