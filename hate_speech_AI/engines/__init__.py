"""The engines: one file or folder each. What an engine is, is in `base.py`; this registry alone knows which there are."""

from .base import Engine
from .encoder import EncoderEngine
from .linear import LinearEngine

ENGINES: dict[str, type[Engine]] = {engine.name: engine for engine in (EncoderEngine, LinearEngine)}
