-- Find new users fast.
create index users_created_at on users (created_at);
