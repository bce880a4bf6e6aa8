"""The sections of the quality report, each printed for a stream by a function of two arguments."""
