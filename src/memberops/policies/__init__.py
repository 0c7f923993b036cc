"""Policies: decisions as values, each read for one case or for a whole frame."""
