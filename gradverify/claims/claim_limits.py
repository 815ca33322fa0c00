"""How much of a file, a formula or a search is looked at, and why no more.

Files come from strangers, and claims are judged while somebody waits. Each limit is far
beyond what people write by hand.
"""

from __future__ import annotations

# fmt: off
# ---- Files: what a person may have written, a data file by mistake, or an attack.
FILE_BYTES = 32_000_000       # a notebook with its pictures fits
CELLS = 5_000
CELL_CHARACTERS = 400_000
FRAGMENT_CHARACTERS = 8_000   # of one text: a definition in it may split words anew
SENTENCE_CHARACTERS = 400     # of a sentence that a formula goes on with
MACROS = 200                  # of a document
MACRO_CHARACTERS = 400        # of what a macro stands for
MACRO_ROUNDS = 5              # macros within macros: one may contain itself

# ---- Formulas in texts: their readings multiply.
CHAIN_TOKENS = 300            # an Earley parser may take time as the cube of them
READINGS = 8                  # of an ambiguous formula
WORD_PIECES = 12              # names that a word such as `wxb` is a product of
REREADINGS = 200              # of a text of which a definition changed how words split
BESIDE = 6                    # lines to a definition that follows its claim
RANGE_ENTRIES = 16            # of an array: a longer one is no vector of an example
TERMS = 3                     # of a sum whose length a text leaves open
STATES = 6                    # places of the file in whose names a claim is tried

# ---- Numbers.
NUMBER_CHARACTERS = 1_000     # of one number; a library prints 17 digits
DECIMAL_EXPONENT = 400        # of a claimed number: every float fits, and nothing huge
TEXT_EXPONENT = 300           # of a number in a file, which is run in floats as well
EXACT_BITS = 2_048            # of a constant, a fraction: products of two floats fit
BALL_BITS = 16_384            # of the size of a value on the way: exp(exp(x)) has more
WHOLE = 10**6                 # of a whole number that is an axis, a length or a place
EXPONENT = 1_000              # of a power that a text writes

# ---- Programs: each of their nodes has a value in balls and a derivative.
FORMULA_ELEMENTS = 100_000    # of all arrays of one formula
FILE_ELEMENTS = 20_000        # of all arrays of one file, since a file has many claims
FILE_NODES = 20_000
UNROLLED = 8                  # passes of a loop; of a longer one the first is read
STATEMENTS = 5_000            # of a file, or of one trial; a call counts as twenty
NESTED_CALLS = 20             # functions within functions: one may call itself for ever
RANGE_NUMBERS = 2_000         # of `range`, `arange`, `linspace`
SUM_TERMS = 200               # of a sum that is written out
ALL_TERMS = 2_000             # of all sums together: sums within sums multiply
MATRIX_ROWS = 4               # of a determinant that is written out, with n! products

# ---- Searches: what may be wrong, and what a pass through code is about.
UNNAMED_STEPS = 30            # of a backward pass, without a name, that are tried
PASS_OUTPUTS = 12             # values that are tried as what a backward pass is of
KNOWN_ENTRIES = 200           # of an array of the file that a function is tried at
TABLE_OPERANDS = 12           # of a function one of whose operands is a table
SHAPE_TRIALS = 300            # runs of a function at shapes that it may be meant for
TRIALS_BESIDE = 40            # more of them, once a choice serves some of the gradients
TRIED_STATEMENTS = 20_000     # that all of them follow: a function may call others
SHAPE_CHOICES = 8             # of them under which every gradient has its shape
FITTING_CHOICES = 20          # of them under which every statement fits
FORMULA_EDITS = 400           # changes of a claimed formula
PROGRAM_EDITS = 600           # changes of a computation
HELD_VALUES = 6               # on the way, that are taken as constants one by one
EDITED_NODES = 60             # of a computation that is changed: every node in turn
SLIP_NODES = 40               # of a computation in which each path is dropped in turn

# ---- What is shown: longer ones are no help in a sentence.
SHOWN_FORMULA = 160           # characters of a correction
SHOWN_VALUES = 60             # characters of the two values of a wrong equality
NEAR_MISSES = 3               # lines that look like claims in a file without one
# fmt: on
