"""When a change is worth a human's attention, who is told, in which words, and how."""
