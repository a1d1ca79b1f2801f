"""Masking in place: the files of an export are replaced by masked ones, each whole, and it can be broken off anywhere."""
