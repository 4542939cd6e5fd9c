"""Tests of the light HTTP client: addresses, answers, certificates, proxies, load."""
