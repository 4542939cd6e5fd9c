"""The kinds of dbm file that PersistentScheduler writes, read from bytes by Python alone.

Beat runs on another Python than radar, perhaps: none of the C modules is needed here, none of
their locks is taken, and none of their bugs can be reached by a hostile file.
"""
