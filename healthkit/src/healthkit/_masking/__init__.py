"""The parts of `healthkit.masking`: each module knows one form that secrets come in.

Every function takes time in proportion to the length of its text, whatever stands in it: a scanner
walks forward and never looks twice at what it has passed.
"""
