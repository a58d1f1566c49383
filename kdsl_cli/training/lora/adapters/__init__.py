"""What is added to a loaded model, how it is set, and what memory it takes."""
