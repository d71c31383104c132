"""fabric 1: what is made of its operations."""
