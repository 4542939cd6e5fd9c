"""Celery, watched from outside; and what a user's app may import from it.

Nothing is imported here: `radar celery alive` has one interpreter start to spend.
"""
