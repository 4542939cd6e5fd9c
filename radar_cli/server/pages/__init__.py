"""The dashboard: pages rendered here, which work without JavaScript."""
