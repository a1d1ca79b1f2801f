"""The document engine: a batch of JSON documents in, the masked documents out, and a reason for each that could not
be masked.
"""

from masking.document.engine import Batch, Engine, Fault

__all__ = ["Batch", "Engine", "Fault"]
