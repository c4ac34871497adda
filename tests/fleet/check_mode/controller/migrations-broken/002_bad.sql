CREATE TABLE bad (a no_such_type);
