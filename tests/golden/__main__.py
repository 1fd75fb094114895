"""Write every answer anew, and remove those of questions that are no longer asked."""

import sys
import tempfile
from pathlib import Path

from tests.golden.questions import ANSWERS, SETTINGS, answers, send_spans
from tests.process.clew_process import Clew


def main() -> None:
    with tempfile.TemporaryDirectory() as directory, Clew(Path(directory), **SETTINGS) as clew:
        send_spans(clew)
        texts = {ANSWERS / f"{name}.json": text for name, text in answers(clew)}
    known = {path: path.read_text() for path in ANSWERS.glob("*.json")}
    for path in known.keys() - texts.keys():
        path.unlink()
    changed = [path for path, text in texts.items() if known.get(path) != text]
    for path in changed:
        path.write_text(texts[path])
    sys.stdout.write(f"{len(texts)} answers; written anew: {', '.join(path.stem for path in changed) or 'none'}\n")


if __name__ == "__main__":
    main()
