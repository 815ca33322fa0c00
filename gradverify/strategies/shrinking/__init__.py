"""A case that fails is made as small as it can be and still fail."""
