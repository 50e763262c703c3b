"""The command: says what it costs, asks, plays the steps, removes what was made, prints the table."""

import signal
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from deployment.account import Account, Refused, require_word, told
from deployment.selftest import leftovers
from deployment.selftest.drill import Drill
from deployment.selftest.judgement import Findings, judge_data, judge_evidence, judge_logins
from deployment.selftest.setting import Setting, setting_of
from deployment.selftest.source import Source
from deployment.selftest.table import Step, StepFailed, Table
from deployment.throwaway.removals import Removals
from restore_command.pipeline import Pipeline

_WELL, _FAILED, _LEFT_BEHIND, _STOPPED = 0, 1, 3, 130


def selftest(account: Account, options: Namespace, *, ask: Callable[[str], str] = input) -> int:
    """Run; return the exit code: 0 all as it should be, 1 a step failed, 3 something was left behind, 130 stopped."""
    # A shell that starts this in the background has it ignore Ctrl-C, which removes what was made, as kill does.
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    Pipeline(account, options.env).refuse_unless_of(options.env)
    if options.sweep:
        return _sweep(account, options.env, None if options.yes else ask)
    setting = setting_of(account, options)
    print(setting.announcement(), flush=True)
    if not options.yes:
        require_word(ask, "Type yes to begin: ", "yes", "nothing was made; to begin, type yes or pass --yes")
    return _Selftest(setting, keep=options.keep).run()


class _Selftest:
    """One run, from the first cluster to the last look at what stands."""

    def __init__(self, setting: Setting, *, keep: bool) -> None:
        self._setting, self._keep = setting, keep
        self._table = Table(_say)
        self._of_source, self._of_drill = Removals(_say), Removals(_say)
        self._folder = Path(tempfile.mkdtemp(prefix=f"{setting.cluster}-"))

    def run(self) -> int:
        """Play, remove, tell; return the exit code."""
        began, stopped = time.monotonic(), False
        try:
            self._play()
        except StepFailed:
            _say("That failed; removing what was made. The table says why")
        except KeyboardInterrupt:
            stopped = True
            _say("Stopped; removing what was made. A second Ctrl-C leaves it: find it again with --sweep")
        except BaseException:
            self._remove(keep=False)
            raise
        left = self._remove(keep=self._keep and not stopped)
        minutes = (time.monotonic() - began) / 60
        _say("\n" + "\n".join(self._table.lines()))
        fetched = f" The evidence, to keep or to delete: {self._folder}" if self._has_evidence() else ""
        _say(f"\n{minutes:.1f} minutes, at most about ${self._setting.dollars(minutes):.2f}.{fetched}")
        if left:
            _say("Left behind; try again with --sweep:\n  " + "\n  ".join(left))
            return _LEFT_BEHIND
        if stopped:
            return _STOPPED
        return _FAILED if self._table.failed else _WELL

    def _has_evidence(self) -> bool:
        """Tell whether anything was fetched; an empty folder goes."""
        if any(self._folder.iterdir()):
            return True
        self._folder.rmdir()
        return False

    def _play(self) -> None:
        setting, step_of = self._setting, self._table.step
        source, drill = Source(setting, self._of_source), Drill(setting, self._of_drill)
        with step_of("source cluster") as step:
            step.found = source.make()
        with step_of("data and logins") as step:
            step.found = source.fill()
        with step_of("snapshot") as step:
            step.found = source.take_snapshot()
        with step_of("drill") as step:
            operation = drill.run()
            step.found = f"{setting.operation_id}, {setting.source.region} to {setting.pipeline.region}"
        self._judge("data", lambda: judge_data(operation))
        self._judge("logins", lambda: judge_logins(operation))
        self._judge("evidence", lambda: judge_evidence(setting, operation, self._folder))
        with step_of("clean-up of drill") as step:
            step.found = f"gone: {drill.wait_for_clean_up()}"

    def _judge(self, name: str, judge: Callable[[], Findings]) -> None:
        """Judge one thing, and go on: the others are worth knowing as well."""
        try:
            with self._table.step(name) as step:
                holds, step.found = judge()
                step.outcome = "PASS" if holds else "FAIL"
        except StepFailed:
            _say(f"{name}: not as it should be")

    def _remove(self, *, keep: bool) -> list[str]:
        """Remove all of it, or but for the source if that is kept, and look again; return what stands."""
        setting, step, began = self._setting, Step("removal"), time.monotonic()
        self._table.steps.append(step)
        left = self._of_drill.all()
        if not keep:
            left += self._of_source.all()
        left += self._standing(with_source=not keep)
        step.seconds = time.monotonic() - began
        step.outcome = "FAIL" if left else "PASS"
        step.found = f"{len(left)} left behind" if left else "nothing is left"
        if keep:
            step.found += f" but {setting.cluster} and {setting.snapshot} in {setting.source.region}, until --sweep"
        return left

    def _standing(self, *, with_source: bool) -> list[str]:
        """Name what still stands of this run, or why that is not known."""
        setting = self._setting
        places = {place.region: place for place in (setting.source, setting.pipeline.account)}
        found: list[str] = []
        try:
            with told():
                if with_source:
                    found += [f"{kind} {name}" for kind, name in leftovers.own_leftovers(setting.source, setting.run)]
                for place in places.values():
                    found += leftovers.of_drill(place, setting.operation_id)
        except Refused as error:
            found.append(f"perhaps more: {error}")
        return found


def _sweep(account: Account, environment: str, ask: Callable[[str], str] | None) -> int:
    region, removals = Pipeline(account, environment).defaults.source_region or account.region, Removals(_say)
    places = [account, *([Account.of_environment(region)] if region != account.region else [])]
    with told():
        for place in places:
            leftovers.note_all(place, removals)
    if removals.noted and ask is not None:
        _say("What selftests made, those of others and those still at work included:\n  " + "\n  ".join(removals.noted))
        require_word(ask, "Type yes to remove it: ", "yes", "nothing was removed; to remove it, type yes or pass --yes")
    left = removals.all()
    with told():
        left += [f"{kind} {name}" for place in places for kind, name in leftovers.own_leftovers(place)]
        left += [line for place in places for line in leftovers.of_drills(place)]
    if left:
        _say("Still there:\n  " + "\n  ".join(left))
        return _LEFT_BEHIND
    _say("Nothing of a selftest stands")
    return _WELL


def _say(text: str) -> None:
    print(text, flush=True)
