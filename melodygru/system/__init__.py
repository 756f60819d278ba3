"""What the operating system is asked for: files, folders, signals, programs and processes."""
