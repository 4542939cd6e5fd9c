"""Settings: where they come from, which one wins, and how they are edited.

The wrapper reads them while a job runs, so what it needs here (places, settings, values,
servers, files, secrets, profiles, load) imports nothing that Python hasn't already loaded.
"""
