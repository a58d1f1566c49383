"""What every section of the settings is made of: options of one stage, and the numbers they may be."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(strict=True, ge=0, le=1)]
Positive = Annotated[int, Field(strict=True, ge=1)]
Folds = Annotated[int, Field(strict=True, ge=2)]
Seed = Annotated[int, Field(strict=True, ge=0)]
Minutes = Annotated[float, Field(strict=True, gt=0)]
Seconds = Annotated[float, Field(strict=True, gt=0)]
Weight = Annotated[float, Field(strict=True, ge=0)]
Quantisation = Literal["nf4", "int8", "none"]


class Section(BaseModel):
    """What the settings of one stage have in common."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def resolved(self) -> dict[str, Any]:
        """Return all options as plain JSON values, for a manifest."""
        return self.model_dump(mode="json")

    def given(self) -> dict[str, Any]:
        """Return the options that somebody gave, defaults left out, for a manifest."""
        return self.model_dump(mode="json", exclude_unset=True)
