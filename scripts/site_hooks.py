"""Hooks of mkdocs.yml: addresses from setup.cfg, links that leave docs/, no external requests.

Pages link to other files of the repository by relative paths, which also lead somewhere on GitHub
and in an editor. On the site they become links to the repository; a path that does not exist is an
error of a strict build.
"""

import logging
import os
import re
from configparser import ConfigParser
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
# Files of the root that are pages too.
PAGES = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}

log = logging.getLogger("mkdocs.hooks.site")

_LINK = re.compile(r"(\]\()([^)\s]+)(\))")


def project_urls(setup_cfg: Path = ROOT / "setup.cfg") -> dict[str, str]:
    """Return the project's addresses by their names, such as "Source"."""
    config = ConfigParser()
    config.read(setup_cfg, encoding="utf8")
    lines = config["metadata"]["project_urls"].strip().splitlines()
    return {name.strip(): url.strip() for name, _, url in (line.partition("=") for line in lines)}


def on_config(config: Any) -> Any:
    """Set what depends on the project's addresses."""
    urls = project_urls()
    config.site_url = urls["Documentation"].rstrip("/") + "/"
    config.extra["source_url"] = urls["Source"]
    # A link in the footer: with repo_url, the theme would ask the host for its stars.
    config.extra["social"] = [
        {"icon": "fontawesome/brands/git-alt", "link": urls["Source"], "name": "Source"}
    ]
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that are files of the root."""
    for name, page in PAGES.items():
        text = (ROOT / name).read_text(encoding="utf8")
        files.append(File.generated(config, page, content=relinked(text, name, config)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Lead links out of docs/ to the repository."""
    if page.file.src_uri in PAGES.values():
        return markdown
    return relinked(markdown, f"docs/{page.file.src_uri}", config)


def relinked(markdown: str, source: str, config: Any) -> str:
    """Change relative links of a file, whose path is seen from the root."""
    page = PAGES.get(source, source.removeprefix("docs/"))

    def link(match: re.Match[str]) -> str:
        target = match[2]
        if urlsplit(target).scheme or target.startswith(("#", "/")):
            return match[0]
        path, _, anchor = target.partition("#")
        path = os.path.normpath(os.path.join(os.path.dirname(source), path))
        suffix = f"#{anchor}" if anchor else ""
        if path in PAGES or path.startswith("docs/"):
            inside = PAGES.get(path, path.removeprefix("docs/"))
            inside = os.path.relpath(inside, os.path.dirname(page) or ".")
            return f"{match[1]}{inside}{suffix}{match[3]}"
        if not (ROOT / path).exists():
            log.warning("%s links to %s, which does not exist", source, target)
        return f"{match[1]}{config.extra['source_url']}/blob/main/{path}{suffix}{match[3]}"

    return _LINK.sub(link, markdown)


def on_page_content(html: str, page: Any, config: Any, files: Any) -> str:
    """Make empty cells of a header plain cells: a header without a name helps nobody."""
    return re.sub(r"<th([^>]*)></th>", r"<td\1></td>", html)


def on_post_build(config: Any) -> None:
    """Warn of each page that a browser would load something for from another host."""
    for page in sorted(Path(config.site_dir).rglob("*.html")):
        for url in external_requests(page.read_text(encoding="utf8")):
            log.warning("%s loads %s", page.relative_to(config.site_dir), url)


# Elements that a browser loads something for, and the attribute that names it.
_LOADING = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "object": "data",
    "embed": "src",
}
# Links of other kinds, such as "canonical", are not loaded.
_LOADED_LINKS = {"stylesheet", "preload", "prefetch", "preconnect", "icon", "modulepreload"}


class _Requests(HTMLParser):
    """Collects what a browser loads by itself, unlike what it follows on a click."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        name = _LOADING.get(tag)
        if tag == "link" and _LOADED_LINKS & set((values.get("rel") or "").split()):
            name = "href"
        url = values.get(name) if name else None
        if url and (urlsplit(url).netloc or urlsplit(url).scheme not in ("", "data")):
            self.urls.append(url)


def external_requests(html: str) -> list[str]:
    """Return the addresses on other hosts from which a page loads scripts, styles or pictures."""
    parser = _Requests()
    parser.feed(html)
    return parser.urls
