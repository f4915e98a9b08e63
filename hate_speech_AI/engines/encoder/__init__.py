"""Engine `encoder`: a small sentence encoder, shipped ready, and a Bayesian logistic head over the mean of its token states.

The encoder is an ONNX graph with int8 weights. Texts of one length run together and are never padded, so a text's verdict is the
same alone and among any neighbours. A text longer than the window is read in overlapping windows, and the most hateful one is its
verdict. The head is linear in a mean over tokens, so what each word adds to the logit is exact.

Only NumPy, ONNX Runtime and tokenizers are imported: scikit-learn and the like would cost each process 150 MB.
"""

from .engine import EncoderEngine

__all__ = ["EncoderEngine"]
