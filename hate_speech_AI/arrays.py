"""Names for the types of arrays. The docstrings add the shapes."""

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Float32s = NDArray[np.float32]
Keys = NDArray[np.uint64]  # halves of fingerprints
Places = NDArray[np.intp]  # indices into another array
Strings = NDArray[np.str_]
