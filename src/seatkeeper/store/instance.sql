-- secret: This installation's own secret, with which cursors and tokens are signed.
select secret from instance

-- ping: Whether the database answers.
select 1 as answered
