"""The engines, one file or folder each. `base.py` defines an engine. Only this registry lists them."""

from .base import Engine
from .encoder import EncoderEngine
from .linear import LinearEngine

ENGINES: dict[str, type[Engine]] = {engine.name: engine for engine in (EncoderEngine, LinearEngine)}
