"""What Sphinx makes HTML of these pages with: ``make docs``."""

project = "oppflow"
html_title = "oppflow"
html_theme = "furo"
html_show_copyright = False
extensions = ["myst_parser"]
exclude_patterns = ["pictures"]

# The pages are plain Markdown, for GitHub as well: headings have GitHub's anchors, and pictures of
# a given width are <img>.
myst_heading_anchors = 3
myst_enable_extensions = ["html_image"]
highlight_language = "none"
# Links to other sites are fetched by make docs ARGS="-b linkcheck" alone.
linkcheck_timeout = 20
