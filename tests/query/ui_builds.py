"""Index pages with the marks that jaeger-ui's builds of three generations carry; everything else about them is ours."""

from pathlib import Path

OLD_INDEX = """<!doctype html>
<html>
<head>
    <base href="/" data-inject-target="BASE_URL" />
    <script>
      // JAEGER_CONFIG_JS
      // this line goes with the one above
      function config() {
        const DEFAULT_CONFIG = null;
        const JAEGER_CONFIG = DEFAULT_CONFIG;
        return JAEGER_CONFIG;
      }
      function version() {
        const DEFAULT_VERSION = {"gitCommit":"", "gitVersion":"", "buildDate":""};
        const JAEGER_VERSION = DEFAULT_VERSION;
        return JAEGER_VERSION;
      }
    </script>
</head>
<body><script src="./static/main.1a2b3c4d.js"></script></body>
</html>
"""
"""Before storage capabilities, up to Jaeger 1.3x."""

STORAGE_INDEX = OLD_INDEX.replace(
    "      function version() {",
    """      function storage() {
        const DEFAULT_STORAGE_CAPABILITIES = { "archiveStorage": false };
        const JAEGER_STORAGE_CAPABILITIES = DEFAULT_STORAGE_CAPABILITIES;
        return JAEGER_STORAGE_CAPABILITIES;
      }
      function version() {""",
)
"""Up to Jaeger 2.17."""

CURRENT_INDEX = STORAGE_INDEX.replace(
    '    <base href="/" data-inject-target="BASE_URL" />\n',
    """    <script>
      var base = location.pathname.slice(0, location.pathname.lastIndexOf('/') + 1);
      var tag = '<base href="' + base + '" data-inject-target="BASE_URL" />';
      document.currentScript.insertAdjacentHTML('afterend', tag);
    </script>
""",
).replace(
    "      function version() {",
    """      function backend() {
        const DEFAULT_BACKEND_CAPABILITIES = { ...storage(), aiAssistant: false };
        const JAEGER_BACKEND_CAPABILITIES = DEFAULT_BACKEND_CAPABILITIES;
        return JAEGER_BACKEND_CAPABILITIES;
      }
      function version() {""",
)
"""Since Jaeger 2.20: finds its base by itself, and is told of more capabilities."""

HASHED_SCRIPT = "static/index-CDLMgX7K.js"


def a_build(folder: Path, index: str = CURRENT_INDEX) -> Path:
    """A folder with a build: the page, a file with its content's hash in its name, one without, and a hidden one."""
    (folder / "static").mkdir(parents=True)
    (folder / "index.html").write_text(index)
    (folder / HASHED_SCRIPT).write_text("run();")
    (folder / "static" / "logo.svg").write_text("<svg/>")
    (folder / "favicon.ico").write_bytes(b"\0\0\1\0")
    (folder / ".hidden").write_text("secret")
    return folder
