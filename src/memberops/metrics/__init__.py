"""Figures of the membership office."""
