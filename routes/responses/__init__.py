"""Response models, by resource. They serialise responses and define the OpenAPI document."""

from __future__ import annotations

from .capabilities import (
    CapabilitiesAnswer,
    CapabilitiesSummary,
    FamilySummary,
    Method,
    SkippedFile,
)
from .errors import ErrorAnswer, ErrorBody, InvalidAnswer, Problem
from .files import (
    CleanupAnswer,
    Dimensions,
    FileDeletedAnswer,
    FilesAnswer,
    HashAnswer,
    ListedFile,
    StoredFile,
    UploadAnswer,
)
from .form import Control, FormField, FormFieldsAnswer
from .generations import (
    CurrentNode,
    GenerationAnswer,
    GenerationDeletedAnswer,
    GenerationsAnswer,
    InputReceipt,
    OutputFile,
    Parameters,
    PreviewFile,
    PromptAnswer,
    Status,
    Steps,
    WarningDetail,
)
from .health import (
    ComfyPart,
    HealthAnswer,
    HealthStatus,
    Part,
    Pose,
    PosesAnswer,
    QueuePart,
    SkeletonDrawing,
    StoragePart,
)
from .links import SignedUrl, SignedUrlsAnswer
from .maintenance import StoreProblem, VerifyAnswer

__all__ = [
    "CapabilitiesAnswer",
    "CapabilitiesSummary",
    "CleanupAnswer",
    "ComfyPart",
    "Control",
    "CurrentNode",
    "Dimensions",
    "ErrorAnswer",
    "ErrorBody",
    "FamilySummary",
    "FileDeletedAnswer",
    "FilesAnswer",
    "FormField",
    "FormFieldsAnswer",
    "GenerationAnswer",
    "GenerationDeletedAnswer",
    "GenerationsAnswer",
    "HashAnswer",
    "HealthAnswer",
    "HealthStatus",
    "InputReceipt",
    "InvalidAnswer",
    "ListedFile",
    "Method",
    "ModelMethods",
    "OutputFile",
    "Parameters",
    "Part",
    "Pose",
    "PosesAnswer",
    "PreviewFile",
    "Problem",
    "PromptAnswer",
    "QueuePart",
    "SignedUrl",
    "SignedUrlsAnswer",
    "SkeletonDrawing",
    "SkippedFile",
    "Status",
    "Steps",
    "StoragePart",
    "StoreProblem",
    "StoredFile",
    "UploadAnswer",
    "VerifyAnswer",
    "WarningDetail",
]
