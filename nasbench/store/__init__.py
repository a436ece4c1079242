"""What has been measured: tables of recorded trainings in HDF5 files, and what reads, writes and checks them.

Start with ``nasbench.store.bundled.find_table`` (by name) or ``nasbench.store.table.open_table`` (by
path); write with ``nasbench.store.writer.write_tables``. Tables know results and never a clock.
"""
