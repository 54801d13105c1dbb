"""The composition root: builds the services from settings, a data folder and a host.

`bootstrap` uses it inside ComfyUI, `offline` without ComfyUI, and the tests with a host of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ..db.clock import Clock, system_clock
from ..db.engine import Database, open_database
from ..db.records import BatchSummary, GenerationRecord
from .access.secret import signing_secret
from .access.signing import Signer
from .characters.service import CharacterService
from .export.character_export import CharacterExporter
from .export.character_import import CharacterImporter
from .export.pictures import PictureExporter
from .generations.batch_preparation import BatchPreparer
from .generations.batches import BatchService
from .generations.cache import GenerationCache
from .generations.dispatcher import BatchDispatcher
from .generations.filling import RequestFiller
from .generations.gallery import GalleryService
from .generations.inputs import Inputs
from .generations.judging import JudgePreparer
from .generations.matrix import MatrixMaker
from .generations.output_copies import OutputCopies
from .generations.outputs import OutputFolder
from .generations.preparation import RunPreparer
from .generations.recorder import GenerationRecorder
from .generations.redraw import RedrawPreparer
from .generations.removal import GenerationRemover
from .generations.reroll_dispatcher import RerollDispatcher
from .generations.service import GenerationService
from .generations.takes import TakeService
from .generations.to_character import CharacterMaker
from .generations.tracker import GenerationTracker
from .health import HealthService
from .idempotency import Idempotency
from .live.live import Live
from .live.log import EventLog
from .live.state import BatchEvent, GenerationEvent
from .maintenance.recovery import recover
from .maintenance.run import CheckedParts
from .maintenance.verify import Verifier
from .model_overrides import ModelOverrides
from .ports import Host
from .poses.service import PoseLibrary
from .settings import Settings
from .store.blobs import BlobStore
from .store.content_store import ContentStore
from .store.disk import Disk
from .store.files import FileStore
from .store.folder_lock import lock_folders
from .store.images import ImageLimits
from .store.quota import Quota
from .store.spool import Spool
from .templates.service import TemplateService
from .webhooks.delivery import Deliveries, Sender
from .webhooks.outbox import Outbox
from .webhooks.signature import read_secret
from .webhooks.targets import Targets, read_hosts
from .workers import Workers


@dataclass(frozen=True)
class Environment:
    """What the product gets from the program around it.

    `make_host` builds the host, which runs its blocking work in the workers. `event_json` and `webhook_json`
    render what subscribers and webhook receivers get. `make_sender` builds what sends to allowed targets.
    `version` is that of the pack, which exported files name. `other_faults` are sentences about faults
    outside of the product, for `/health`.
    """

    make_host: Callable[[Workers, ModelOverrides], Host]
    event_json: Callable[[GenerationEvent | BatchEvent], str]
    webhook_json: Callable[[GenerationRecord | BatchSummary], str]
    make_sender: Callable[[Targets], Sender]
    other_faults: Callable[[], Sequence[str]] = tuple
    now: Clock = system_clock
    disk: Disk | None = None
    version: str = "0.0.0"


@dataclass(frozen=True)
class Store:
    """The database, the stored bytes, and the threads that work on them."""

    database: Database
    blobs: BlobStore
    contents: ContentStore
    workers: Workers
    limits: ImageLimits

    def checked(self, outputs: OutputFolder | None, *, alone: bool = False) -> CheckedParts:
        """What a check of the store looks at; see `CheckedParts`."""
        return CheckedParts(
            self.database, self.blobs, self.contents, self.workers, self.limits, outputs, alone
        )


@dataclass(frozen=True)
class Product:
    """All services, built and not yet running: `tracker`, `dispatcher`, `rerolls`, `live` and `deliveries`
    have a `run` each."""

    settings: Settings
    database: Database
    blobs: BlobStore
    contents: ContentStore
    workers: Workers
    host: Host
    overrides: ModelOverrides
    outputs: OutputFolder
    files: FileStore
    live: Live
    tracker: GenerationTracker
    recorder: GenerationRecorder
    cache: GenerationCache
    generations: GenerationService
    takes: TakeService
    rerolls: RerollDispatcher
    batches: BatchService
    matrices: MatrixMaker
    dispatcher: BatchDispatcher
    health: HealthService
    verifier: Verifier
    idempotency: Idempotency
    signer: Signer
    deliveries: Deliveries
    templates: TemplateService
    poses: PoseLibrary
    characters: CharacterService
    character_maker: CharacterMaker
    character_exporter: CharacterExporter
    character_importer: CharacterImporter
    gallery: GalleryService
    picture_exporter: PictureExporter


def lock_store(settings: Settings, data_folder: Path, resources: ExitStack) -> None:
    """Keep other programs off the store until `resources` closes. Raises InUseError, UnavailableError."""
    for lock in lock_folders(data_folder, settings.storage_folder(data_folder)):
        resources.callback(lock.release)


def open_store(
    settings: Settings,
    data_folder: Path,
    resources: ExitStack,
    *,
    now: Clock = system_clock,
    disk: Disk | None = None,
    sweep: bool = True,
) -> Store:
    """Open the store and bring its tables up to date. Blocks. `resources` closes it.

    `sweep`: remove what a crash left in the storage, and prove that it can be written.

    Raises DatabaseUnavailableError, AvatarForgeError, OSError.
    """
    blobs = BlobStore(settings.storage_folder(data_folder), disk)
    if sweep:
        blobs.open()
    else:
        blobs.make_folders()
    database = open_database(settings.database_url, data_folder, now=now)
    resources.callback(database.close)
    workers = Workers()
    resources.callback(workers.close)
    quota = Quota(settings.storage_quota_bytes, settings.storage_quota_files)
    contents = ContentStore(database, blobs, workers, quota)
    limits = ImageLimits(settings.min_image_dimension, settings.max_image_dimension)
    return Store(database, blobs, contents, workers, limits)


def open_product(
    settings: Settings, data_folder: Path, environment: Environment, resources: ExitStack
) -> Product:
    """Open the store, recover what a killed process left, and build the services. Blocks.

    `resources` closes what was opened. Raises what `open_store` and `make_host` raise.
    """
    store = open_store(settings, data_folder, resources, now=environment.now, disk=environment.disk)
    database, blobs, contents, workers = store.database, store.blobs, store.contents, store.workers
    signer = Signer(signing_secret(settings.secret_key, data_folder))
    overrides = ModelOverrides(data_folder, environment.disk)
    host = environment.make_host(workers, overrides)
    outputs = OutputFolder(host.output_folder, blobs.journal, environment.disk)
    recover(database, blobs, outputs)
    files = FileStore(database, contents, workers, store.limits, settings.max_file_size)
    live = Live(EventLog(environment.event_json), database, host)
    outbox = Outbox(environment.webhook_json)
    targets = Targets(read_hosts(settings.webhook_hosts), settings.webhook_allow_private)
    tracker = GenerationTracker(database, host, workers, outputs, live, outbox)
    cache = GenerationCache(database)
    templates = TemplateService(settings, database, files, host, workers)
    poses = PoseLibrary(settings, database, files, workers)
    characters = CharacterService(settings, database, files)
    inputs = Inputs(database, files, poses)
    spool = Spool(contents, workers)
    filler = RequestFiller(templates, characters)
    copies = OutputCopies(files, outputs, workers)
    preparer = RunPreparer(settings, database, files, host, poses, filler)
    remover = GenerationRemover(database, files, workers, outputs, tracker, live, outbox)
    rerolls = RerollDispatcher(settings, database, host, preparer, tracker, live, outbox)
    generations = GenerationService(
        settings=settings,
        database=database,
        host=host,
        outputs=outputs,
        tracker=tracker,
        live=live,
        targets=targets,
        cache=cache,
        preparer=preparer,
        redraws=RedrawPreparer(database, files, host, characters, inputs, copies),
        remover=remover,
        rerolls=rerolls,
        judges=JudgePreparer(host, inputs),
    )
    dispatcher = BatchDispatcher(settings, database, host, preparer, tracker)
    batches = BatchService(
        settings=settings,
        database=database,
        host=host,
        preparer=BatchPreparer(settings, host, inputs, filler),
        dispatcher=dispatcher,
        tracker=tracker,
        live=live,
        outbox=outbox,
        targets=targets,
        remover=remover,
    )
    # Without WEBHOOK_HOSTS nothing is accepted for sending, and what an earlier start left is given up.
    key = read_secret(settings.webhook_secret) if settings.webhook_secret else b""
    deliveries = Deliveries(database, environment.make_sender(targets), targets, key)
    live.on_end(deliveries.wake)
    return Product(
        settings=settings,
        database=database,
        blobs=blobs,
        contents=contents,
        workers=workers,
        host=host,
        overrides=overrides,
        outputs=outputs,
        files=files,
        live=live,
        tracker=tracker,
        recorder=GenerationRecorder(database, outputs, tracker.is_deleted, tracker.record_start),
        cache=cache,
        generations=generations,
        takes=TakeService(database, files, workers, outputs, tracker, live),
        rerolls=rerolls,
        batches=batches,
        matrices=MatrixMaker(characters, templates, batches, workers),
        dispatcher=dispatcher,
        health=HealthService(database, blobs, workers, host, settings, environment.other_faults),
        verifier=Verifier(store.checked(outputs)),
        idempotency=Idempotency(database),
        signer=signer,
        deliveries=deliveries,
        templates=templates,
        poses=poses,
        characters=characters,
        character_maker=CharacterMaker(database, copies, characters),
        character_exporter=CharacterExporter(
            settings, database, files, spool, workers, exported_by=f"AvatarForge {environment.version}"
        ),
        character_importer=CharacterImporter(settings, database, files, spool, workers, host),
        gallery=GalleryService(database, tracker, remover),
        picture_exporter=PictureExporter(settings, outputs, workers),
    )
