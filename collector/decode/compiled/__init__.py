"""The inner loops of decoding, compiled to machine code by numba: they run without the interpreter's lock.

Only bytes, numbers and numpy arrays come here. What is rare or odd is left to the decoders in plain Python around it,
which therefore define what is right; the loops only say "not for me".
"""
