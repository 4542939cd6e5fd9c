"""The production checklist: what a worker's effective settings risk, and what to set instead."""
