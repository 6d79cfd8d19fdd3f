"""The demonstration: systems that disagree come to agree before your eyes, and somebody else checks that they do."""
