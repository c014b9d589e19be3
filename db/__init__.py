"""Rows. Functions here take a Session, return core types, and never commit: the caller owns the transaction."""
