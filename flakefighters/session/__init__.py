"""The life of one pytest session: prepare, hooks, journal and spool, finish, print."""
