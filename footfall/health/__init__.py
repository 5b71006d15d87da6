"""Looks at everything Footfall stands on, and says what to do about what is not as it should be."""
