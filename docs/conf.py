"""What Sphinx makes HTML of these pages with: ``make docs``."""

project = "oppflow"
html_title = "oppflow"
html_theme = "furo"
extensions = ["myst_parser"]
exclude_patterns = ["pictures"]

# The pages are plain Markdown, for GitHub as well: headings have GitHub's anchors, and pictures of
# a given width are <img>.
myst_heading_anchors = 3
myst_enable_extensions = ["html_image"]
highlight_language = "none"
# Read from Airflow's and other sites by linkcheck alone: make docs ARGS="-b linkcheck"
linkcheck_timeout = 20
