"""The policy against a model that recomputes everything from the whole history."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from healthkit import EventKind, Status
from healthkit._alerts.policy import Level, Rules, State, acknowledge, decide, observe
from healthkit._config.alert_tables import AlertSettings
from healthkit._config.service_tables import CheckSettings

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


@dataclass
class Model:
    """Lists and loops in place of the policy's counters."""

    rules: Rules
    seen: list[tuple[int, datetime]] = field(default_factory=list)
    window: list[bool] = field(default_factory=list)
    level: int = 0
    told: int = 0
    outage: datetime | None = None
    outage_end: datetime | None = None
    end: datetime | None = None
    flapping: bool = False
    notified_flapping: bool = False
    hold: int = 0

    def run_of(self, wanted) -> tuple[int, datetime | None]:
        """How many results at the end are `wanted`, and when the first of them came."""
        count, since = 0, None
        for level, at in reversed(self.seen):
            if not wanted(level):
                break
            count, since = count + 1, at
        return count, since

    def observe(self, level: int, at: datetime) -> None:
        self.seen.append((level, at))
        self.hold = max(0, self.hold - 1)
        window = self.window = [*self.window, level > 0][-self.rules.flap_window :]
        stays = max(4, 2 * self.rules.fail_after)
        if self.flapping and len(window) >= stays and all(window[-stays:]):
            self.flapping, self.window = False, [True] * stays
        else:
            changes = sum(window[i] != window[i + 1] for i in range(len(window) - 1))
            share = changes / (self.rules.flap_window - 1)
            bound = self.rules.flap_end if self.flapping else self.rules.flap_start
            self.flapping = share > bound if self.flapping else share >= bound
        before = self.level
        if self.run_of(lambda seen: seen == 2)[0] >= self.rules.fail_after:
            self.level = 2
        elif self.run_of(lambda seen: seen >= 1)[0] >= self.rules.fail_after:
            self.level = max(self.level, 1)
        if self.level == 2 and self.run_of(lambda s: s < 2)[0] >= self.rules.recover_after:
            self.level = 1
        if self.level == 1 and self.run_of(lambda s: s == 0)[0] >= self.rules.recover_after:
            self.level = 0
        if before == 2 > self.level:
            self.outage_end = self.run_of(lambda seen: seen < 2)[1]
        if before > 0 == self.level:
            self.end = self.run_of(lambda seen: seen == 0)[1]
        if self.level == 2 and before < 2 and self.told < 2:
            self.outage = self.run_of(lambda seen: seen == 2)[1]

    def expected(self, muted: bool, inhibited: bool) -> list[EventKind]:
        if inhibited:
            self.hold = self.rules.fail_after
        quiet = muted or inhibited
        kinds = []
        if self.flapping and not self.notified_flapping and not quiet:
            kinds.append(EventKind.FLAPPING)
            self.notified_flapping = True
        if not self.flapping and self.notified_flapping:
            kinds.append(EventKind.STEADY)
            self.notified_flapping = False
        if self.flapping:
            return kinds
        if self.level < self.told:
            kinds.append(EventKind.UP if self.told == 2 else EventKind.RESTORED)
            self.told = self.level
        if self.level > self.told and not quiet and not self.hold:
            kinds.append(EventKind.DOWN if self.level == 2 else EventKind.DEGRADED)
            self.told = self.level
        return kinds


class Histories(RuleBasedStateMachine):
    @initialize(
        fail_after=st.integers(1, 4),
        recover_after=st.integers(1, 3),
        window=st.integers(4, 12),
        remind=st.sampled_from([None, MINUTE]),
        escalate=st.sampled_from([None, timedelta(0), 3 * MINUTE]),
    )
    def begin(self, fail_after, recover_after, window, remind, escalate):
        self.rules = Rules(fail_after, recover_after, remind, escalate, window)
        self.model = Model(self.rules)
        self.state = State()
        self.now = NOW
        self.muted = self.inhibited = self.acked = False
        self.events = []
        self.outages = []

    @rule(
        status=st.sampled_from([Status.HEALTHY, Status.DEGRADED, Status.UNHEALTHY]),
        times=st.integers(1, 6),
        gap=st.integers(1, 90),
    )
    def results(self, status, times, gap):
        for _ in range(times):
            self.now += gap * SECOND
            before = self.model.level
            self.model.observe(int(Level.of(status)), self.now)
            self.state = observe(self.state, status, self.now, self.rules)
            assert int(self.state.level) == self.model.level
            assert self.state.flapping is self.model.flapping
            if before == 0 < self.model.level:
                self.acked = False
            self.decide()

    @rule(seconds=st.integers(1, 4000))
    def time_passes(self, seconds):
        self.now += seconds * SECOND
        self.decide()

    @rule(seconds=st.integers(1, 4000))
    def the_clock_jumps_back(self, seconds):
        self.now -= seconds * SECOND
        self.decide()

    @rule(muted=st.booleans(), inhibited=st.booleans())
    def the_circumstances_change(self, muted, inhibited):
        self.muted, self.inhibited = muted, inhibited
        self.decide()

    @rule()
    def somebody_acknowledges(self):
        self.state = acknowledge(self.state)
        self.acked = True

    def decide(self):
        flapped = self.model.notified_flapping
        expected = self.model.expected(self.muted, self.inhibited)
        self.state, told = decide(
            self.state, self.now, self.rules, muted=self.muted, inhibited=self.inhibited
        )
        again = decide(self.state, self.now, self.rules, muted=self.muted, inhibited=self.inhibited)
        assert again == (self.state, ()), "what has been told is not told again"
        further = [d.kind for d in told if d.kind in (EventKind.REMINDER, EventKind.ESCALATION)]
        if flapped and self.model.notified_flapping:  # it reminds in its own words
            further += [d.kind for d in told if d.kind is EventKind.FLAPPING]
        assert [d.kind for d in told if d.kind not in further] == expected
        if further:
            assert self.model.told == 2 or self.model.notified_flapping
            assert not any((self.acked, self.muted, self.inhibited))
        for decision in told:
            self.note(decision)
        if self.model.level == 0 and not self.model.flapping:
            self.acked = False

    def note(self, decision):
        if decision.kind is EventKind.DOWN:
            assert decision.since == self.model.outage
            self.outages.append(decision.since)
        if decision.kind is EventKind.UP:
            assert decision.since == self.outages[-1]
            assert decision.until == self.model.outage_end
        if decision.kind is EventKind.RESTORED:
            assert decision.until == self.model.end
        self.events.append(decision)

    @invariant()
    def ends_follow_beginnings(self):
        down = degraded = flapping = False
        for decision in getattr(self, "events", []):
            match decision.kind:
                case EventKind.DOWN:
                    assert not down, "no two downs without an up between"
                    down, degraded = True, False
                case EventKind.UP:
                    assert down, "no up without a down"
                    down, degraded = False, True  # if it is; `restored` tells
                case EventKind.DEGRADED:
                    assert not down
                    degraded = True
                case EventKind.RESTORED:
                    assert degraded
                    degraded = False
                case EventKind.FLAPPING:
                    flapping = True
                case EventKind.STEADY:
                    assert flapping
                    flapping = False
                case EventKind.REMINDER | EventKind.ESCALATION:
                    assert down or flapping


Histories.TestCase.settings = settings(
    max_examples=5 * settings().max_examples, stateful_step_count=40, deadline=None
)
TestHistories = Histories.TestCase


def test_flapping_goes_on_reminding_and_escalates_and_ends_when_the_fault_stays():
    rules = Rules(1, 1, 10 * MINUTE, 25 * MINUTE, 10)
    state, told, now = State(), [], NOW
    for number in range(40):
        now += MINUTE
        status = Status.UNHEALTHY if number % 2 else Status.HEALTHY
        state, due = decide(observe(state, status, now, rules), now, rules)
        told += [decision.kind for decision in due]
    began = told.index(EventKind.FLAPPING)
    assert told[began:].count(EventKind.FLAPPING) == 3, "and reminders after 10 and 30 minutes"
    assert told[began:].count(EventKind.ESCALATION) == 1
    for _ in range(3):
        now += MINUTE
        state, due = decide(observe(state, Status.UNHEALTHY, now, rules), now, rules)
    assert EventKind.STEADY in [decision.kind for decision in due], "four failures in a row are one"
    assert not state.flapping


def test_what_flaps_between_healthy_and_degraded_wakes_nobody_again():
    rules = Rules(1, 1, 10 * MINUTE, 25 * MINUTE, 10)
    state, told, now = State(), [], NOW
    for number in range(200):
        now += MINUTE
        status = Status.DEGRADED if number % 2 else Status.HEALTHY
        state, due = decide(observe(state, status, now, rules), now, rules)
        told += [decision.kind for decision in due]
    assert told.count(EventKind.FLAPPING) == 1
    assert EventKind.ESCALATION not in told


# What the model leaves open: times of reminders and escalations


def run(rules, script, state=None):
    """The kinds told, each with its second, for a script of (second, status or None)."""
    state, told = state or State(), []
    for second, status in script:
        at = NOW + second * SECOND
        if status is not None:
            state = observe(state, status, at, rules)
        state, decisions = decide(state, at, rules)
        told += [(second, decision.kind.value, decision.count) for decision in decisions]
    return state, told


def ticks(start, end, step):
    return [(second, None) for second in range(start, end, step)]


def test_a_service_that_is_broken_when_the_watcher_first_starts_is_told_after_fail_after():
    down = Status.UNHEALTHY
    _, told = run(Rules(fail_after=3), [(0, down), (10, down), (20, down)])
    assert told == [(20, "down", 0)]


def test_reminders_come_with_doubled_gaps_up_to_a_day():
    rules = Rules(fail_after=1, remind_every=timedelta(minutes=30))
    _, told = run(rules, [(0, Status.UNHEALTHY), *ticks(60, 5 * 86400, 60)])
    minutes = [second // 60 for second, kind, _ in told if kind == "reminder"]
    gaps = [b - a for a, b in zip([0, *minutes], minutes, strict=False)]
    assert gaps[:7] == [30, 60, 120, 240, 480, 960, 1440]
    assert set(gaps[7:]) <= {1440}
    assert [count for _, kind, count in told if kind == "reminder"] == list(
        range(1, len(minutes) + 1)
    )


def test_a_gap_longer_than_a_day_is_kept():
    rules = Rules(fail_after=1, remind_every=timedelta(days=2))
    _, told = run(rules, [(0, Status.UNHEALTHY), *ticks(3600, 5 * 86400, 3600)])
    assert [second // 86400 for second, kind, _ in told if kind == "reminder"] == [2, 4]


def test_reminders_go_on_for_a_year():
    rules = Rules(fail_after=1, remind_every=timedelta(seconds=1))
    _, told = run(rules, [(0, Status.UNHEALTHY), *ticks(3600, 400 * 86400, 86400)])
    assert len(told) > 300


def test_nobody_acknowledged_so_it_escalates_once():
    rules = Rules(fail_after=1, escalate_after=timedelta(minutes=15))
    _, told = run(rules, [(0, Status.UNHEALTHY), *ticks(60, 7200, 60)])
    assert told == [(0, "down", 0), (900, "escalation", 0)]


def test_an_acknowledged_fault_is_neither_reminded_of_nor_escalated_and_the_next_one_is():
    rules = Rules(1, 1, remind_every=MINUTE, escalate_after=MINUTE)
    state, _ = run(rules, [(0, Status.UNHEALTHY)])
    state, told = run(rules, ticks(10, 3600, 10), acknowledge(state))
    assert told == []
    state, told = run(rules, [(4000, Status.HEALTHY), (4010, Status.UNHEALTHY)], state)
    assert [kind for _, kind, _ in told] == ["up", "down"]
    _, told = run(rules, [(4100, None)], state)
    assert {kind for _, kind, _ in told} == {"reminder", "escalation"}


def test_a_fault_acknowledged_while_it_was_silenced_does_not_silence_the_next_one():
    rules = Rules(1, 1, remind_every=MINUTE)
    state = acknowledge(observe(State(), Status.UNHEALTHY, NOW, rules))
    state, _ = decide(state, NOW, rules, muted=True)
    state, told = run(rules, [(10, Status.HEALTHY), (20, Status.UNHEALTHY), (90, None)], state)
    assert [kind for _, kind, _ in told] == ["down", "reminder"]


def test_a_clock_put_back_by_a_day_delays_no_reminder_and_no_escalation_by_a_day():
    rules = Rules(1, 1, remind_every=MINUTE, escalate_after=5 * MINUTE)
    _, told = run(rules, [(0, Status.UNHEALTHY), *ticks(-86400, -86400 + 400, 20)])
    kinds = [kind for _, kind, _ in told]
    assert kinds.count("reminder") >= 2
    assert kinds.count("escalation") == 1


def test_flapping_is_told_at_its_start_and_its_end_and_nothing_between():
    rules = Rules(fail_after=1, recover_after=1, flap_window=10)
    wild = [(i, Status.UNHEALTHY if i % 2 else Status.HEALTHY) for i in range(40)]
    calm = [(i, Status.HEALTHY) for i in range(40, 60)]
    _, told = run(rules, [*wild, *calm])
    kinds = [kind for _, kind, _ in told]
    start, end = kinds.index("flapping"), kinds.index("steady")
    assert end == start + 1
    assert kinds.count("flapping") == kinds.count("steady") == 1
    assert kinds.count("down") == kinds.count("up")


def test_a_fault_that_a_dependency_explained_is_told_when_it_outlives_it():
    rules = Rules(fail_after=2, recover_after=1)
    state, told = State(), []
    for second, inhibited in [(0, True), (10, True), (20, False), (30, False), (40, False)]:
        at = NOW + second * SECOND
        state = observe(state, Status.UNHEALTHY, at, rules)
        state, decisions = decide(state, at, rules, inhibited=inhibited)
        told += [(second, decision.kind.value) for decision in decisions]
    assert told == [(30, "down")]


def test_rules_without_settings_are_those_of_a_configuration_without_settings():
    rules, check, alerts = Rules(), CheckSettings(type="x"), AlertSettings()
    assert (rules.fail_after, rules.recover_after) == (check.fail_after, check.recover_after)
    assert rules.flap_window == alerts.flap_window
    assert (rules.flap_start, rules.flap_end) == (alerts.flap_start / 100, alerts.flap_end / 100)
    assert (rules.fail_after, rules.recover_after, rules.flap_window) == (3, 2, 20)
