"""External programs: what starts them and what reads the files they leave."""
