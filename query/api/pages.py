"""What clew's own pages share. They need nothing but themselves: no script, no font and no other host."""

from collections.abc import Callable, Mapping

Doors = Callable[[], Mapping[str, str]]
"""The doors that are open, by the names of the ready line, with the addresses they listen on."""

STYLE = """<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem; }
code, pre { background: #8882; padding: .1em .3em; border-radius: .2em; }
pre { padding: .5em 1em; overflow-x: auto; }
table { border-collapse: collapse; }
td, th { text-align: left; vertical-align: top; padding: .2em 1em .2em 0; }
</style>"""
