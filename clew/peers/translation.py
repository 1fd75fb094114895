"""What a peer's configuration comes to: settings of clew, what was not honoured and why, and what forbids a start."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from storage.settings import CLOSED


@dataclass(slots=True)
class Translation:
    """One peer's configuration, translated.

    settings: clew's variable -> value; a value given to clew itself wins over it. closed: variables of doors that stay
    closed whatever address is given for them. meanings: what the peer's words came
    to, for the log. ignored: the peer's name -> why it changes nothing. refused: one line for each contradiction.
    Values of what is ignored are in none of them: they may be secret.
    """

    peer: str
    settings: dict[str, str] = field(default_factory=dict)
    closed: list[str] = field(default_factory=list)
    meanings: list[str] = field(default_factory=list)
    ignored: dict[str, str] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    def means(self, words: str, settings: Mapping[str, str], but: str = "") -> None:
        """`words` of the peer's configuration set these settings. but: what is vainly expected besides."""
        if not settings:
            return
        self.settings.update(settings)
        said = ", ".join(f"{name}={value}" for name, value in settings.items())
        self.meanings.append(f"{words} means {said}" + (f" ({but})" if but else ""))

    def close(self, words: str, *doors: str) -> None:
        """`words` of the peer's configuration keep these doors closed."""
        self.closed += doors
        self.meanings.append(f"{words} means {', '.join(f'{door}={CLOSED}' for door in doors)}")

    def ignore(self, name: str, why: str) -> None:
        """`name` changes nothing here."""
        self.ignored[name] = why

    def log_line(self) -> str | None:
        """All of it in one line, names with one reason together; None when there is nothing to tell."""
        by_reason: dict[str, list[str]] = {}
        for name, why in self.ignored.items():
            by_reason.setdefault(why, []).append(name)
        without_effect = [f"{', '.join(names)} ({why})" for why, names in by_reason.items()]
        parts = [*self.meanings]
        if without_effect:
            parts.append(f"without effect: {'; '.join(without_effect)}")
        return f"{self.peer} configuration: {'; '.join(parts)}" if parts else None


def is_true(text: str) -> bool:
    """Go's and Spring's spellings of true."""
    return text.strip().lower() in ("1", "t", "true", "on", "yes")
