"""The management API: `/api/v1`, `/api/sync`, `/healthz` and `/metrics`."""
