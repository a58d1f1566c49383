"""Monte-Carlo tree search that knows no domain."""
