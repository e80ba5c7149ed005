from dataclasses import replace
from pathlib import Path

from data.ingestion import read_story
from handlers.services import Services

SAMPLES = "samples"


def load_samples(services: Services, folder: Path) -> None:
    """Bring the samples collection in line with the bundled files; what is there is not redone."""
    wanted = {f"sample:{path.stem}": path for path in sorted(folder.glob("*.md"))}
    for revision in services.articles.current():
        if revision.external_id not in wanted:
            services.indexer.remove(revision.article_id)
    for external_id, path in wanted.items():
        services.indexer.add(replace(read_story(path), external_id=external_id))
