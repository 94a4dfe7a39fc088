"""Where samples come from: collisions, and what a trigger sees of them.

``SampleSpec -> Sample``. Read ``generation`` first: it makes a sample of chunks. ``jet_recipe``
says how a chunk of jets is made (``collisions``, ``jets``, then ``features`` or ``images``),
``crossing_recipe`` how one of bunch crossings is (``inelastic``, ``detector``, ``pools``,
``crossings``, then ``regions`` or ``trigger_objects``). ``streaming`` goes on where a sample
ends, ``archive`` is its file, ``tables`` reads events that others made.
"""
