"""What all tests share: nothing is judged by the clock of a machine that runs other tests besides."""

from httpx._config import DEFAULT_TIMEOUT_CONFIG
from hypothesis import settings

ANSWER_WITHIN_S = 60.0
"""Before pytest gives the test up, so that what is said is who did not answer."""

settings.register_profile("clew", deadline=None)
settings.load_profile("clew")

# Else five seconds. Every call and client that is told no other takes this one object, which has no public name.
for phase in ("connect", "read", "write", "pool"):
    setattr(DEFAULT_TIMEOUT_CONFIG, phase, ANSWER_WITHIN_S)
