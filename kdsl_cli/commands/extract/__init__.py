"""Facts and answers of dialogues: taken once, and opened by every stage that learns."""
