"""Part of memberops."""
