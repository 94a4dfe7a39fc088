"""Scans of the design space: ``Space, Workspace -> ScanResult``.

``space`` turns what is proposed into specs, ``study`` keeps who proposed what, ``search`` has
workers evaluate it (``designs``), ``results`` and ``table`` say what was found, ``front``
writes the best designs as specs that run as they are. Read ``search`` first.
"""
