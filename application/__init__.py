"""Use cases: load state, call the domain, save, publish, in one transaction. No I/O of its own."""
