"""Of which kind those are of whom something was told."""


class KindOf:
    """Kinds by name; `of` has those that are not of kind 0, in which are all of whom nobody told.

    >>> kinds = KindOf()
    >>> kinds.put("pan", 1), kinds.put("pan", 1), kinds.of, kinds.news(), kinds.news()
    (None, None, {'pan': 1}, ['pan'], [])
    """

    def __init__(self) -> None:
        self.of: dict[str, int] = {}
        self._news: list[str] = []

    def put(self, name: str, kind: int) -> None:
        """Know somebody as one of this kind."""
        if kind == self.of.get(name, 0):
            return
        self._news.append(name)
        if kind:
            self.of[name] = kind
        else:
            del self.of[name]

    def news(self) -> list[str]:
        """Return whose kind has changed since the last call."""
        news, self._news = self._news, []
        return news
