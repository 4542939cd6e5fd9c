"""Shell completions: which words may come next on a command line of radar's.

The scripts in completions/ are small and never change; what they offer comes from
`radar completion words`, each time that a person presses Tab.
"""
