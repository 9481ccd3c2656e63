"""The life of one pytest session: begin, hooks, journal and spool, judging, saving."""
