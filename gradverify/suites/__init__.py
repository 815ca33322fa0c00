"""What a run checks: named cases from textbooks beside what is drawn."""
