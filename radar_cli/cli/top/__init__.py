"""A live screen: lists that are looked at again and again, and what can be done about a row."""
