"""The product with a fake host."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, fields
from pathlib import Path

from fake_host import FakeHost
from prepared_database import prepare_database

from avatarforge.db.clock import Clock, system_clock
from avatarforge.db.records import GenerationRecord
from avatarforge.forge import product as composition
from avatarforge.forge.settings import Settings
from avatarforge.forge.store.disk import Disk
from avatarforge.routes import Services, services_of
from avatarforge.routes.event_payloads import event_json, webhook_json
from avatarforge.routes.webhook_sender import WebhookSender


class SetClock:
    """A clock that always returns `moment`, in microseconds since 1970."""

    def __init__(self) -> None:
        self.moment = system_clock()

    def __call__(self) -> int:
        return self.moment


@dataclass(frozen=True)
class Product(composition.Product):
    host: FakeHost

    @property
    def services(self) -> Services:
        """The services that the routes use."""
        return services_of(self)

    async def until(self, generation_id: str, *statuses: str) -> GenerationRecord:
        """Wait until a generation, which the tracker updates in its own task, has one of these statuses."""
        while (record := await self.generations.get(generation_id)).status not in statuses:
            pass  # each read lets other tasks run; pytest's own timeout bounds this
        return record


@asynccontextmanager
async def product(
    folder: Path,
    host: FakeHost | None = None,
    settings: Settings | None = None,
    disk: Disk | None = None,
    now: Clock = system_clock,
) -> AsyncIterator[Product]:
    """Open all services in `folder` and run the tracker. Closes them at the end, as a restart would."""
    fake = host or FakeHost(folder)
    chosen = settings or Settings()
    if not chosen.database_url:
        prepare_database(folder)
    environment = composition.Environment(
        make_host=fake.with_overrides,
        event_json=event_json,
        webhook_json=webhook_json,
        make_sender=WebhookSender,
        now=now,
        disk=disk,
    )
    with ExitStack() as resources:
        opened = composition.open_product(chosen, folder, environment, resources)
        values = {field.name: getattr(opened, field.name) for field in fields(opened)}
        forge = Product(**{**values, "host": fake})
        fake.take_of = forge.recorder.take_of
        works = (forge.tracker.run, forge.dispatcher.run, forge.rerolls.run, forge.live.run)
        tasks = [asyncio.create_task(work()) for work in works]
        try:
            yield forge
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
