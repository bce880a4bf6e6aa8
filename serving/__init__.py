"""What answers: HTTP health, the live page; reads state, cannot learn."""
