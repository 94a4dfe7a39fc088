"""Records, exact arithmetic, the spec, errors and files: what every stage shares."""
