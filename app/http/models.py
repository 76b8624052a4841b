"""What all shapes on the wire share."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """A shape on the wire. What reads and writes it is made when the first of its kind comes, not at the start."""

    model_config = ConfigDict(defer_build=True)
