-- The tables of app/models.py.
create table users (
    id serial primary key,
    username varchar(80) not null unique,
    email varchar(120) not null unique,
    created_at timestamp default now()
);
