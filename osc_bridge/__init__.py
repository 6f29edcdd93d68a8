"""musai over Open Sound Control: `addresses` is the table, `server` and `client` speak it."""
