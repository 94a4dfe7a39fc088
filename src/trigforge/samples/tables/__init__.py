"""Events of users: ``.npy``, ``.npz``, Parquet and ROOT files, read strictly.

``path -> EventTable``. Read ``reading`` first: it chooses the reader of a kind of file and
checks what it gave. No reader executes anything that a file holds.
"""
