"""Serves the panel as a standalone page, for a phone or a colleague without the editor.

The page uses the same scripts as the editor's sidebar, from `web/` and `locales/`. They are served under the
API's prefix, so that the page does not need ComfyUI's frontend. Nothing here is secret: the page asks the
user for the key, if one is needed, and sends it with its API requests.
"""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from .access import guarded
from .context import PREFIX
from .errors import error_answer
from .page_files import PageFiles

ROOT = Path(__file__).resolve().parents[1]
PARTS: dict[str, Path] = {
    **{
        f"panel/{name}": ROOT / "web" / "panel" / name
        for name in (
            "carried.mjs",
            "chips.mjs",
            "choose.css",
            "choose_dialog.mjs",
            "client.mjs",
            "clipboard.mjs",
            "compare.mjs",
            "curl.mjs",
            "detail.mjs",
            "detail_sections.mjs",
            "draft.mjs",
            "export_dialog.mjs",
            "fields.mjs",
            "filmstrip.mjs",
            "first_start.mjs",
            "form.css",
            "form.mjs",
            "form_alert.mjs",
            "form_fields.mjs",
            "form_helpers.mjs",
            "form_input.mjs",
            "form_request.mjs",
            "loras_field.mjs",
            "model_guide.mjs",
            "models.mjs",
            "pickers.mjs",
            "prompt_history.mjs",
            "scores.mjs",
            "seed_field.mjs",
            "gallery.mjs",
            "gallery_filters.mjs",
            "gallery_pages.mjs",
            "gallery_selection.mjs",
            "gallery_tile.mjs",
            "generations.css",
            "hash.mjs",
            "icon.svg",
            "json.mjs",
            "labels.mjs",
            "live.mjs",
            "page.css",
            "page.mjs",
            "pan_zoom.mjs",
            "panel.css",
            "panel.mjs",
            "picture_actions.mjs",
            "picture_pose.mjs",
            "picture_settings.mjs",
            "pictures.mjs",
            "png_text.mjs",
            "pose_slot.mjs",
            "references.mjs",
            "restore.mjs",
            "running.mjs",
            "session.mjs",
            "setting_texts.mjs",
            "sheet.mjs",
            "sha256.mjs",
            "sha256-worker.mjs",
            "shortcuts.mjs",
            "skeletons.mjs",
            "slots.mjs",
            "stream.mjs",
            "taken.mjs",
            "takes.mjs",
            "tile_pictures.mjs",
            "view_field.mjs",
            "viewer.css",
            "viewer.mjs",
            "viewing.mjs",
            "virtual_grid.mjs",
        )
    },
    **{
        f"characters/{name}": ROOT / "web" / "characters" / name
        for name in (
            "character_form.mjs",
            "character_list.mjs",
            "character_page.mjs",
            "character_texts.mjs",
            "characters.css",
            "characters.mjs",
            "characters_client.mjs",
            "choices.mjs",
            "dialogs.mjs",
            "draft.mjs",
            "icons.mjs",
            "matrix_cell.mjs",
            "matrix_form.mjs",
            "matrix_grid.mjs",
            "matrix_layout.mjs",
            "matrix_list.mjs",
            "named_list.mjs",
            "new_picture.mjs",
            "options.mjs",
            "own_pictures.mjs",
            "picture_choices.mjs",
            "reference_zone.mjs",
            "references.mjs",
            "section.mjs",
            "seed.mjs",
            "store_picture.mjs",
            "versions.mjs",
        )
    },
    **{
        f"shared/{name}": ROOT / "web" / "shared" / name
        for name in (
            "api_key.mjs",
            "dragged.mjs",
            "elements.mjs",
            "errors.mjs",
            "events.mjs",
            "file_dialog.mjs",
            "file_types.mjs",
            "files_client.mjs",
            "i18n.mjs",
            "list_dialog.mjs",
            "menu.mjs",
            "modal.mjs",
            "shared.css",
            "sizes.mjs",
            "storage.mjs",
        )
    },
    **{
        f"templates/{name}": ROOT / "web" / "templates" / name
        for name in ("marks.mjs", "panel_list.mjs", "templates.css", "templates_client.mjs")
    },
    **{
        f"poses/{name}": ROOT / "web" / "poses" / name
        for name in (
            "controls.mjs",
            "editor.mjs",
            "figure.mjs",
            "figure_drawing.mjs",
            "history.mjs",
            "labels.mjs",
            "library.mjs",
            "moves.mjs",
            "open.mjs",
            "openpose.mjs",
            "paths.mjs",
            "poses.css",
            "poses_client.mjs",
            "shapes.mjs",
            "stage.mjs",
            "zoom.mjs",
        )
    },
    **{f"locales/{language}.json": ROOT / "locales" / language / "main.json" for language in ("en", "zh")},
}
# A fixed table, because on Windows the registry can map .mjs to a type that browsers do not run.
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
# Only scripts, styles and pictures of this server, none of them inline, and no embedding by other sites.
# blob: is for a picture that the user has just dropped.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# All URLs are relative, so that the page also works under /api and behind a proxy's path.
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>AvatarForge</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="same-origin">
<link rel="icon" href="panel/panel/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="panel/panel/page.css">
<link rel="stylesheet" href="panel/shared/shared.css">
<link rel="stylesheet" href="panel/panel/panel.css">
<link rel="stylesheet" href="panel/panel/form.css">
<link rel="stylesheet" href="panel/panel/choose.css">
<link rel="stylesheet" href="panel/panel/generations.css">
<link rel="stylesheet" href="panel/characters/characters.css">
<link rel="stylesheet" href="panel/panel/viewer.css">
<link rel="stylesheet" href="panel/templates/templates.css">
<link rel="stylesheet" href="panel/poses/poses.css">
<script type="module" src="panel/panel/page.mjs"></script>
</head>
<body><main id="avatarforge"><noscript>This page needs JavaScript.</noscript></main></body>
</html>
"""
HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache", "Referrer-Policy": "same-origin"}


def add_panel(routes: web.RouteTableDef) -> None:
    """Register the page and its files. They are also served while the pack is unavailable, and the page shows
    the reason."""

    files = PageFiles()

    async def page(_: web.Request) -> web.Response:
        return web.Response(
            text=PAGE, content_type="text/html", headers={**HEADERS, "Content-Security-Policy": POLICY}
        )

    async def with_slash(_: web.Request) -> web.Response:
        # Relative for the same reason as the URLs in the page.
        return web.Response(status=308, headers={**HEADERS, "Location": PREFIX.removeprefix("/") + "/"})

    async def part(request: web.Request) -> web.StreamResponse:
        path = PARTS.get(f"{request.match_info['folder']}/{request.match_info['name']}")
        if path is None:
            return error_answer(404, "route_not_found", "The panel has no such part.")
        return await files.answer(request, path, {**HEADERS, "Content-Type": TYPES[path.suffix]})

    routes.route("*", PREFIX)(guarded(with_slash))
    routes.get(f"{PREFIX}/")(guarded(page))
    routes.get(f"{PREFIX}/panel/{{folder}}/{{name}}")(guarded(part))
