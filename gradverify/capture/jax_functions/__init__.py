"""Functions of JAX: how they are called, read from their jaxprs, and differentiated."""
