"""The nodes for the graph editor. ComfyUI gets the list `NODES`."""

from __future__ import annotations

from comfy_api.latest import io

from .character import CharacterPrompt, LoadCharacter
from .doll import PaperDoll, TakePicture
from .extract import DrawKeypoints, KeepSkeleton
from .face import CompositeFace, FaceRegionMask
from .judge import JudgePicture
from .keypoints import LoadKeypoints, ReadSkeleton
from .library import LibraryPose
from .load import LoadPose, LoadReference
from .pixel_art import PixelArt
from .pose import ApplyPose
from .prompt import AvatarPrompt
from .reference import ApplyReference, ReferenceLatent
from .save import SaveAvatar
from .saved import LoadView
from .seeds import RowSeeds
from .sheet import CharacterSheet
from .skeleton import PoseSkeleton
from .turnaround import ShareViews, TakeView, ViewsLatent

NODES: list[type[io.ComfyNode]] = [
    AvatarPrompt,
    LoadCharacter,
    CharacterPrompt,
    LoadPose,
    PoseSkeleton,
    LibraryPose,
    DrawKeypoints,
    KeepSkeleton,
    ApplyPose,
    LoadReference,
    ReferenceLatent,
    ApplyReference,
    ViewsLatent,
    ShareViews,
    RowSeeds,
    TakeView,
    PaperDoll,
    LoadKeypoints,
    ReadSkeleton,
    TakePicture,
    PixelArt,
    FaceRegionMask,
    CompositeFace,
    SaveAvatar,
    JudgePicture,
    LoadView,
    CharacterSheet,
]
