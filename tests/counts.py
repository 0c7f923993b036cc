"""How many examples a property is given: a share of what the day or the night gives."""

from hypothesis import settings


def examples(share):
    """
    Give a property a share of the profile's examples: less than one if each is dear.

    The profiles are in conftest.py: a day's is what `make test` has, and `make nightly`
    runs every property with fifteen times as many.
    """
    return settings(max_examples=max(1, round(settings.default.max_examples * share)))
