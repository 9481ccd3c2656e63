"""From verdicts to text."""
