"""What an answer looks like: as text, as data, as a page with a picture, as a graph for a pull request."""

from tenure.explore.report.data import as_data, story_as_data
from tenure.explore.report.mermaid import TooManyNodes, as_mermaid
from tenure.explore.report.page import as_page
from tenure.explore.report.text import as_text, story_as_text

__all__ = ["TooManyNodes", "as_data", "as_mermaid", "as_page", "as_text", "story_as_data", "story_as_text"]
