"""The running server: who may come in, what watches and judges, and how it starts and ends."""
