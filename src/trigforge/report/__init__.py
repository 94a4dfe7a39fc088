"""The report: ``RunSummary -> report.json`` and the text of a terminal."""
