"""Engine `encoder`: a small sentence encoder and a Bayesian logistic head over the mean of its token states. Both are shipped.

The encoder is an ONNX graph with int8 weights. Only texts of one length run together, without padding. So the verdict on a text
does not depend on the other texts. A text longer than the window is read in overlapping windows, and the most hateful window
decides. The head is linear in a mean over tokens. So the contribution of each word to the logit is exact.

Serving imports NumPy, ONNX Runtime and tokenizers only. scikit-learn and the like would cost each process 150 MB.
"""

from .engine import EncoderEngine

__all__ = ["EncoderEngine"]
