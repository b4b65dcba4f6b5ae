"""The SQL room: statements in `.sql` files and the rows they give; nothing is decided here."""
