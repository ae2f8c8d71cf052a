"""Long runs that look for inputs and faults nothing here survives; short ones are in tests/trust.

Run from the repository's root, for instance ``python -m tests.fuzz.readers --seconds 300``.
"""
