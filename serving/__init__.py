"""What shows: the live page and what feeds it; reads metrics and answers, cannot learn."""
