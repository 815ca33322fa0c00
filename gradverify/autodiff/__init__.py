"""Our own two engines and the table of rules that they share."""

from gradverify.autodiff.dual import Dual
from gradverify.autodiff.tape import Tape, Variable
from gradverify.autodiff.traced import bare

__all__ = ["Dual", "Tape", "Variable", "bare"]
