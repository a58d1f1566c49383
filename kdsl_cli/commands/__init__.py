"""The command line: thin verbs, the only place that prints and exits."""
