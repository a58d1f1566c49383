"""The verbs below ``kdsl rules``: what a person does with a rule base."""
