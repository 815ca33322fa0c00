"""Functions of NumPy and of HIPS autograd, run on arrays that note what is done."""
