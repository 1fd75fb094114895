"""What all tests share: properties are judged by their examples, never by the clock."""

from hypothesis import settings

settings.register_profile("clew", deadline=None)
settings.load_profile("clew")
