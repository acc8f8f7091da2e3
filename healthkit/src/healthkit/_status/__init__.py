"""The status page for people: what is so now, what was, and what is planned.

model       the page as values, and the rules of its figures: pure
reading     reads the store
html, feeds render it: a page, JSON, badges, a feed
publisher   keeps the rendered bytes in memory, made anew on a thread of its own
"""
