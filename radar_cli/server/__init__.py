"""The embedded server: pings, the management API, the evaluator and alerts, the dashboard."""
