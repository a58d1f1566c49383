"""What is amiss in a rule base that can be read: findings, each with a code and what to do about it."""
