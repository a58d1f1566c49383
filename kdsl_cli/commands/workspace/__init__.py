"""Where things lie in a workspace, its settings, its splits, and what ships."""
