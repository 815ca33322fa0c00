"""What a run checks: drawn cases, examples from textbooks, and saved cases."""
