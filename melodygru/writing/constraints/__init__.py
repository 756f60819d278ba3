"""What may come next in a melody, as rules: `base` says what a rule can say, each other module holds one kind."""
