"""What is written for users: the README, and the pages of docs/."""

from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
PAGES = sorted((CHECKOUT / "docs").rglob("*.md"))
README = (CHECKOUT / "README.md").read_text()
ALL = "\n".join([README, *(path.read_text() for path in PAGES)])


def page(name: str) -> str:
    """Return a page of docs/."""
    return (CHECKOUT / "docs" / f"{name}.md").read_text()
