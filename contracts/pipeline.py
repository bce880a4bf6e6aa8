"""What learns, and how: generators, head, actions and segments, from TOML or from Python.

`docs/pipeline.md` tells what each key is for. Learned state belongs to a pipeline: `digest` names
it. Scenarios and groups only choose among what was ranked, exploration beside it: they may change
at any time.
"""

import hashlib
import itertools
from typing import Annotated, Literal

import msgspec

from contracts import named, toml_struct
from contracts.checked import Checked, Mistake, doc
from contracts.errors import SettingsError
from contracts.groups import Groups, too_much
from contracts.scenarios import Scenario

DAY_S = 86_400.0
LONGEST_S = 1e12  # 30,000 years: finite, and decay by it is none

Repeats = Literal["learn", "always", "never"]


def _rises(name: str, bounds: tuple[float, ...]) -> None:
    for low, high in itertools.pairwise(bounds):
        if high <= low:
            raise Mistake((name,), f"must rise, got {high:.15g} after {low:.15g}", "sort them")


Seconds = Annotated[float, msgspec.Meta(gt=0, le=LONGEST_S)]
Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
ContextName = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]


class Popularity(Checked, frozen=True):
    """What is chosen most: decayed counts at several half-lives at once."""

    half_lives_s: Annotated[
        tuple[Seconds, ...],
        doc("times after which a choice counts half, rising", min_length=1, max_length=8),
    ] = (300.0, 3_600.0, 21_600.0, DAY_S, 3 * DAY_S, 7 * DAY_S, 30 * DAY_S, 3e9)
    baseline_s: Annotated[
        float, doc("the half-life that lists are compared with; one of `half_lives_s`")
    ] = DAY_S

    def check(self) -> None:
        """Refuse half-lives that do not rise and a baseline that is not among them."""
        _rises("half_lives_s", self.half_lives_s)
        if self.baseline_s not in self.half_lives_s:
            known = ", ".join(f"{seconds:.15g}" for seconds in self.half_lives_s)
            raise Mistake(
                ("baseline_s", "half_lives_s"),
                f"{self.baseline_s:.15g} is not among half_lives_s",
                f"take one of {known}, or add it there",
            )


class Recent(Checked, frozen=True):
    """The user's own last items."""


class CoOccurrence(Checked, frozen=True):
    """What goes with the user's last items."""

    half_life_s: Annotated[
        float, doc("time after which two items seen together count half", gt=0, le=LONGEST_S)
    ] = 365 * DAY_S
    neighbours: Annotated[int, doc("neighbours remembered per item", ge=1, le=1024)] = 64


class Transitions(Checked, frozen=True):
    """What follows the user's last item."""

    followers: Annotated[int, doc("followers remembered per item", ge=1, le=1024)] = 64


class Neighbours(Checked, frozen=True):
    """What was chosen in sessions like this one."""

    sessions: Annotated[int, doc("sessions remembered", ge=1, le=10_000_000)] = 100_000
    visits: Annotated[int, doc("last sessions remembered per item", ge=1, le=1024)] = 64


class Content(Checked, frozen=True):
    """What few have chosen yet and has attributes in common with the user's last items."""

    newcomers: Annotated[
        int, doc("items that nobody has chosen which are on lists, the newest", ge=4, le=100_000)
    ] = 4_096


class Generators(Checked, frozen=True):
    """Who proposes items; None leaves one out. Popularity stays: it is what strangers get."""

    popularity: Popularity = Popularity()
    recent: Recent | None = Recent()
    co_occurrence: CoOccurrence | None = CoOccurrence()
    transitions: Transitions | None = Transitions()
    neighbours: Neighbours | None = Neighbours()
    content: Content | None = None


class Action(Checked, frozen=True):
    """What an event's `action` means."""

    weight: Annotated[
        float,
        doc(
            "> 0: a choice, judged and learned with it; 0: counted, not learned; < 0: a refusal, "
            "the item is not offered to this user again",
            ge=-1000,
            le=1000,
        ),
    ] = 1.0
    repeats: Annotated[
        Repeats | None,
        doc(
            "whether an item so chosen may return: `always`, `never`, or `learn`, the stream "
            "decides; not set, the setting `repeats` holds"
        ),
    ] = None


ACTIONS = {
    "view": Action(1.0),
    "click": Action(1.0),
    "like": Action(1.5),
    "cart": Action(2.0),
    "purchase": Action(3.0),
    "skip": Action(0.0),
    "dislike": Action(-1.0),
    "hide": Action(-1.0),
}


class Segments(Checked, frozen=True):
    """Where users are told apart: the head learns weights for each segment beside the shared."""

    history: Annotated[
        tuple[Count, ...],
        doc("items in the user's history at which the next segment begins, rising", max_length=16),
    ] = (1, 2, 5, 20)
    gap_s: Annotated[
        tuple[Seconds, ...],
        doc("time since the user's last event at which it begins, rising", max_length=16),
    ] = (120.0, 1_800.0, 21_600.0, 172_800.0)
    context: Annotated[
        tuple[ContextName, ...],
        doc(
            "names in the `context` of events whose values are segments of strangers, the most "
            "telling first",
            max_length=8,
        ),
    ] = ()

    def check(self) -> None:
        """Refuse bounds that do not rise, and names that come twice or hold a sign of ours."""
        _rises("history", self.history)
        _rises("gap_s", self.gap_s)
        for at, name in enumerate(self.context):
            if "=" in name or "\0" in name:
                raise Mistake(("context",), f"has {name!r}, with = or a zero", "take another name")
            if name in self.context[:at]:
                raise Mistake(("context",), f"has '{name}' twice", "name it once")


class Exploration(Checked, frozen=True):
    """Where a list holds items of which too little is known to rank them."""

    share: Annotated[
        float, doc("share of a list's places for what few have chosen and fits", ge=0, le=0.5)
    ] = 0.0


class Pipeline(Checked, frozen=True):
    """All of it. `actions` are added to, and stand before, the known `ACTIONS`.

    >>> Pipeline(actions={"rent": Action(2)}).actions["hide"].weight
    -1.0
    """

    head: Annotated[
        Literal["softmax", "mixture", "blend"],
        doc("how candidates are ranked: learned by softmax, a learned mixture, a fixed blend"),
    ] = "softmax"
    rate: Annotated[float, doc("step of the head", gt=0, le=1)] = 0.1
    generators: Generators = Generators()
    actions: dict[str, Action] = msgspec.field(default_factory=lambda: dict(ACTIONS))
    segments: Segments = Segments()
    reacts: Annotated[
        bool, doc("whether memory is shortened where what follows what changes all at once")
    ] = True
    exploration: Exploration = Exploration()
    scenarios: dict[str, Scenario] = msgspec.field(default_factory=dict)
    groups: dict[str, Groups] = msgspec.field(default_factory=dict)

    def check(self) -> None:
        """Keep the known actions that are not named: a `hide` is never learned as a choice."""
        if self.exploration.share and not self.generators.content:
            remedy = "write `content = true` under [generators]"
            raise Mistake(("exploration", "generators"), "needs to know what fits", remedy)
        if "" in self.actions:
            raise Mistake(("actions",), "has an action without a name", "name it")
        if "" in self.scenarios:
            raise Mistake(("scenarios",), "has a scenario without a name", "name it")
        for name in self.scenarios:
            if "=" in name:  # hw:top:{segment} has one
                raise Mistake(("scenarios",), f"has '{name}', with =", "take another name")
        if "" in self.groups:
            raise Mistake(("groups",), "has groups without a name", "name them")
        every = self.groups.values()
        too_much([part for group in every for part in group.floors.values()], ("groups",))
        msgspec.structs.force_setattr(self, "actions", ACTIONS | self.actions)


def read(where: str) -> Pipeline:
    """Return the pipeline that a `.toml` file or `package.module:name` holds; "" is the default.

    >>> read("").head
    'softmax'

    Raises:
        SettingsError: nothing is there, or it is wrong; names file, line and remedy.
    """
    if not where:
        return Pipeline()
    if where.endswith(".toml"):
        return toml_struct.read(where, Pipeline())
    module, _, name = where.partition(":")
    if not all(map(str.isidentifier, [*module.split("."), name])):
        raise SettingsError(
            f"pipeline must be a file that ends in .toml or package.module:name, got '{where}'; "
            "mend HEADWATER_PIPELINE"
        )
    return named.load(where, Pipeline)


def digest(pipeline: Pipeline) -> str:
    """Return 64 hex digits that differ where pipelines learn differently, however written."""
    learned = msgspec.structs.asdict(pipeline)
    del learned["scenarios"], learned["groups"], learned["exploration"]
    # What was learned before there was a choice can go on.
    if pipeline.reacts:
        del learned["reacts"]
    learned["segments"] = msgspec.structs.asdict(pipeline.segments)
    if not pipeline.segments.context:
        del learned["segments"]["context"]
    if pipeline.generators.content is None:
        learned["generators"] = msgspec.structs.asdict(pipeline.generators)
        del learned["generators"]["content"]
    return hashlib.sha256(msgspec.json.encode(learned, order="sorted")).hexdigest()
