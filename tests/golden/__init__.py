"""Every shape of answer, as the real command gives it for fixed spans, compared to the letter.

`python -m tests.golden` (`make golden`) writes the answers anew: look at the difference before you commit it.
"""
