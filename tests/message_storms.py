"""
Storms for the outbox: a gateway that fails, workers that are killed, races.

Each returns its totals, or fails with what was lost, doubled or told wrongly.
``python tests/message_storms.py [messages] [kills]`` runs them and prints the totals
beside those of a sender that tries again on any error.
"""

import collections
import contextlib
import datetime as dt
import gc
import itertools
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs

from memberops.adapters.sms import FormGateway, SmsContext
from memberops.adapters.stores import open_outbox
from memberops.domain.message import (
    BatchApproval,
    Message,
    MessageBatch,
    MessageTemplate,
    audience_digest,
    message_id,
)
from memberops.domain.money import Currency, Money
from memberops.policies.contact import ContactCap, ContactPolicy
from memberops.policies.outbox_policy import OutboxPolicy, RetryPolicy
from memberops.testing import USUAL_FAULTS, FaultyGateway
from memberops.workflows.message_sending import send_messages, settle_messages

NOON = dt.datetime(2026, 10, 14, 4, tzinfo=dt.UTC)  # 12:00 in Shanghai
BEGAN = time.monotonic()
FORK = multiprocessing.get_context("fork")
KEY = "the-key-of-the-storm"
FINAL = {"delivered", "undelivered", "rejected"}
ROLES = ("customer_service_manager", "brand_manager")
AHEAD = FORK.RawValue("d", 0.0)  # seconds; the same for workers that are forked
LEASE = 10  # seconds, so that no slow machine makes one end by itself
LONG = 60  # seconds: the same for patient providers
PATIENT = 5  # seconds: where nothing is lost on purpose, a slow machine loses nothing
HOLD = 0.15  # how long the gateway keeps a client waiting; the provider waits less


def milliseconds(number):
    """Return a span of time."""
    return dt.timedelta(milliseconds=number)


POLICY = OutboxPolicy(
    retry=RetryPolicy(
        attempts=6,
        first=milliseconds(20),
        most_wait=milliseconds(100),
        most_asked=milliseconds(200),
    ),
    settle=milliseconds(600),
    resend_notices=True,
    price=Money.of("0.05", Currency("CNY")),
)


def now():
    """Return a moment of an October noon, as far on as the machine's clock or more."""
    return NOON + dt.timedelta(seconds=time.monotonic() - BEGAN + AHEAD.value)


def begin_day():
    """Let it be noon again, whatever earlier storms have passed by."""
    AHEAD.value = BEGAN - time.monotonic()


def pass_by(seconds):
    """Let time pass for all workers, and wait for none of it."""
    AHEAD.value += seconds


class Together:
    """A provider that takes many messages in a call, as some take in a request."""

    def __init__(self, inner, size, longest):
        self.name, self._inner = inner.name, inner
        self.capabilities = attrs.evolve(
            inner.capabilities, batch_size=size, longest_seconds=longest
        )
        self.query, self.close = inner.query, inner.close
        self.parse_receipts = inner.parse_receipts
        self.verify_receipt = inner.verify_receipt

    def send(self, messages, *, template):
        """Send one after the other, and let the outbox write down all at once."""
        return tuple(
            self._inner.send([message], template=template)[0] for message in messages
        )


def provider_for(url, read=0.1, together=1, name="form"):
    """
    Make a provider with time-outs that are shorter than the gateway's patience.

    With *together* the outbox hands it so many messages at once and writes down their
    results in one step.
    """
    provider = FormGateway(
        SmsContext(folder=Path(tempfile.gettempdir())),
        url=f"{url}/send",
        query_url=f"{url}/query",
        token=lambda: KEY,
        receipt_secret=lambda: KEY,
        settle_seconds=1,
        limits={"connect_seconds": 5, "read_seconds": read, "total_seconds": read * 2},
        name=name,
    )
    # On this machine a connection takes no time.
    return Together(provider, together, together * read * 2)


def phone_of(number):
    """Return a made-up phone."""
    return f"139{number:08}"


def batch_of(name, members, kind, *, closes=dt.timedelta(hours=6), provider=""):
    """Make a batch and its messages to members."""
    tail = "拒收请回复R" if kind == "marketing" else ""
    template = MessageTemplate(
        template_id="T1",
        kind=kind,
        text=f"${{name}}，您好！{tail}",
        signature="示例店",
        provider=provider,
    )
    made = [
        Message(
            message_id=message_id(name, f"M{number}"),
            batch_id=name,
            member_id=f"M{number}",
            phone=phone_of(number),
            text=f"会员{number}，您好！{tail}【示例店】",
            variables=(("name", f"会员{number}"),),
        )
        for number in members
    ]
    audience, size = audience_digest((each.message_id, each.digest) for each in made)
    batch = MessageBatch(
        batch_id=name,
        template=template,
        sample=f"某某，您好！{tail}【示例店】",
        audience=audience,
        size=size,
        opens_at=NOON - dt.timedelta(hours=1),
        closes_at=NOON + closes,
        cost_cap=Money.of("100000.00", Currency("CNY")),
        author="author",
        created_at=NOON - dt.timedelta(days=1),
    )
    return batch, made


def approve(outbox, batch, roles=ROLES):
    """Let each role approve a batch by a person of its own."""
    for role in roles:
        outbox.approve(
            BatchApproval(
                batch_id=batch.batch_id,
                fingerprint=batch.fingerprint,
                role=role,
                actor=f"the {role}",
                at=NOON - dt.timedelta(hours=2),
            )
        )


def consent(outbox, members):
    """Write that members agreed."""
    long_ago = NOON - dt.timedelta(days=100)
    outbox.record_consents((f"M{number}", long_ago, "form 1") for number in members)


def fill(outbox, name, members, kind="marketing", provider=""):
    """Put an approved batch into an outbox; return its messages."""
    members = list(members)
    batch, made = batch_of(name, members, kind, provider=provider)
    consent(outbox, members)
    outbox.add_batch(batch)
    outbox.enqueue(name, made)
    approve(outbox, batch)
    return made


def left(outbox, *states):
    """Return how many messages stand in any of these states."""
    return int(outbox.status()[list(states)].to_numpy().sum())


def send_until_empty(outbox, provider, worker, *, batch=50):
    """Send until nothing is queued, waiting for what was postponed."""
    while True:
        send_messages(
            outbox, provider, now=now, worker=worker, batch=batch, sleep=pass_by
        )
        if not left(outbox, "queued"):
            return
        time.sleep(0.01)
        pass_by(0.1)


def settle_until_known(outbox, provider, gateway, rounds=60):
    """Ask, and send again what may be, until nothing is unknown."""
    while left(outbox, "queued", "claimed", "unknown"):
        rounds -= 1
        assert rounds > 0, "some messages never settle"
        assert gateway.wait_until_idle()
        pass_by(1.1)  # the settle delays are over for what was asked before
        outbox.recover(at=now())
        settle_messages(outbox, provider, now=now)
        send_messages(
            outbox, provider, now=now, worker="the last", batch=20, sleep=pass_by
        )


def push(outbox, provider, gateway, ids=None, repeats=2):
    """Let the gateway push its receipts; return how many were taken."""
    taken = 0
    for request in gateway.deliver(ids, repeats=repeats):
        assert provider.verify_receipt(request)
        receipts = provider.parse_receipts(request)
        taken += len(outbox.receive_all(receipts, at=now()))
    return taken


@attrs.frozen(kw_only=True)
class Totals:
    """What a storm came to, counted at the gateway and in the outbox."""

    messages: int
    taken: int
    duplicates: int
    wrong: int
    unknown: int
    parked: int
    requests: int
    faults: int
    seconds: float

    def __str__(self):
        """Say it in a line."""
        return (
            f"{self.messages} messages, {self.requests} requests, {self.faults} of "
            f"them failed: {self.taken} taken, {self.duplicates} duplicates, "
            f"{self.wrong} wrong final states, {self.unknown} unknown at the end "
            f"({self.parked} were on the way); {self.seconds:.1f} s"
        )


def settled_truly(outbox, gateway):
    """
    Compare what was settled with what the gateway took, before the last push.

    Receipts mend what an answer to a query made wrong, so they must not come first.
    """
    wrong = collections.Counter()
    for row in outbox.messages().itertuples():
        fate = gateway.fate(row.message_id).value
        truth = {"accepted", fate} if fate != "not_found" else {"rejected"}
        if row.state not in truth:
            wrong[f"{row.state}, truly {fate}, before the last push"] += 1
    assert not wrong, dict(wrong)


def count(outbox, gateway, began, parked):
    """Compare the outbox with the truth of the gateway."""
    wrong = collections.Counter()
    frame = outbox.messages()
    for row in frame.itertuples():
        own = row.message_id
        fate = gateway.fate(own).value
        truth = {"rejected"} if fate == "not_found" else {fate}
        if row.state not in truth:
            wrong[f"{row.state}, truly {fate}"] += 1
        # a claim that was lost before the request is an attempt without one
        if gateway.requests[own] > row.attempts:
            wrong["more requests than attempts"] += 1
    assert outbox.verify() == ()
    assert not wrong, dict(wrong)
    return Totals(
        messages=len(frame),
        taken=len(gateway.accepted),
        duplicates=gateway.duplicates,
        wrong=wrong.total(),
        unknown=int((~frame["state"].isin(FINAL)).sum()),
        parked=parked,
        requests=gateway.requests.total(),
        faults=gateway.faults.total() - gateway.faults["ok"],
        seconds=time.monotonic() - began,
    )


# --- a bad day ---------------------------------------------------------------------


def bad_day(database, *, messages=2000, workers=4, seed=1, make=provider_for):
    """Send through a gateway on a bad day, settle, and compare with the truth."""
    begin_day()
    began = time.monotonic()
    with (
        FaultyGateway(
            key=KEY,
            seed=seed,
            faults=USUAL_FAULTS,
            query_faults={"error_before": 0.05, "half_body": 0.05, "throttled": 0.05},
            hold=HOLD,
        ) as gateway,
        open_outbox(database, policy=POLICY, wait=120) as outbox,
        contextlib.ExitStack() as closing,
    ):
        half = messages // 2
        fill(outbox, "promotion", range(half))
        fill(outbox, "notice", range(half, messages), "notice")
        providers = [
            make(gateway.url, together=50 if number else 5) for number in range(workers)
        ]
        for provider in providers:
            closing.callback(provider.close)
        running = threading.Event()
        running.set()

        def push_now_and_then():
            known = set()
            dice = random.Random(seed)  # noqa: S311 - a test's dice
            while running.is_set():
                new = [own for own in gateway.accepted if own not in known]
                known.update(new)
                some = [own for own in new if dice.random() < 0.3]
                if some:
                    push(outbox, providers[0], gateway, some, repeats=1)
                time.sleep(0.1)

        with ThreadPoolExecutor(workers + 1) as pool:
            pushing = pool.submit(push_now_and_then)
            jobs = [
                pool.submit(send_until_empty, outbox, provider, f"worker {number}")
                for number, provider in enumerate(providers)
            ]
            try:
                for job in jobs:
                    job.result()
            finally:
                running.clear()
            pushing.result()
        parked = left(outbox, "unknown")
        settle_until_known(outbox, providers[1], gateway)
        settled_truly(outbox, gateway)
        push(outbox, providers[0], gateway, repeats=1)
        return count(outbox, gateway, began, parked)


def careless_day(*, messages=2000, workers=4, seed=1, attempts=5):
    """Send on the same day, trying again on any error; nothing is compared."""
    begin_day()
    began = time.monotonic()
    with FaultyGateway(key=KEY, seed=seed, faults=USUAL_FAULTS, hold=HOLD) as gateway:
        provider = provider_for(gateway.url)
        batch, made = batch_of("promotion", range(messages), "marketing")

        def send(message):
            for _ in range(attempts):
                (result,) = provider.send([message], template=batch.template)
                if result.outcome == "accepted":
                    return True
            return False

        with ThreadPoolExecutor(workers) as pool:
            done = list(pool.map(send, made))
        gateway.wait_until_idle()
        provider.close()
        accepted = gateway.accepted
        wrong = sum(
            well != (message.message_id in accepted)
            for well, message in zip(done, made, strict=True)
        )
        return Totals(
            messages=messages,
            taken=len(accepted),
            duplicates=gateway.duplicates,
            wrong=wrong,
            unknown=0,
            parked=0,
            requests=gateway.requests.total(),
            faults=gateway.faults.total() - gateway.faults["ok"],
            seconds=time.monotonic() - began,
        )


# --- killed workers ----------------------------------------------------------------


class Nursery:
    """
    A process that forks workers, so that none inherits a thread.

    It is forked before the gateway opens its threads; what workers need is loaded
    and made once, without a connection.
    """

    def __init__(self, database, read=0.1):
        self._database, self._read = database, read
        self._pipe, theirs = FORK.Pipe()
        self._process = FORK.Process(target=self._serve, args=[theirs], daemon=True)
        self._process.start()
        theirs.close()

    def _serve(self, pipe):
        url = pipe.recv()
        outbox = open_outbox(self._database, policy=POLICY, wait=120)
        provider = provider_for(url, self._read, together=5)
        _work(outbox, provider, 5, LONG * 1000)  # whatever is loaded late is loaded now
        provider.close()
        outbox.dispose()  # connections are opened after the fork
        provider = provider_for(url, self._read, together=5)
        gc.collect()
        gc.freeze()  # what is there is shared with the workers, and stays where it is
        gc.disable()
        pipe.send("warm")
        while (order := pipe.recv()) is not None:
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    _work(outbox, provider, *order)
                    code = 0
                finally:
                    os._exit(code)
            pipe.send(child)
            while True:
                status = os.waitpid(child, os.WUNTRACED)[1]
                pipe.send(status)
                if not os.WIFSTOPPED(status):
                    break

    def serve(self, url, outbox):
        """Say where the gateway is, and let a first worker warm everything up."""
        fill(outbox, "to warm up", range(10**6, 10**6 + 10))
        self._pipe.send(url)
        assert self._pipe.recv() == "warm"

    def start(self, *order):
        """Start a worker; return its process id."""
        self._pipe.send(order)
        return self._pipe.recv()

    def wait(self, seconds=60.0):
        """Wait until the worker stops or ends; return its status, None if neither."""
        return self._pipe.recv() if self._pipe.poll(seconds) else None

    def close(self):
        """End it."""
        self._pipe.send(None)
        self._process.join(30)
        self._pipe.close()


class Stopping:
    """A provider whose process is stopped before or after some of its requests."""

    def __init__(self, inner, before, after):
        self.name, self.capabilities = inner.name, inner.capabilities
        self._inner, self._before, self._after = inner, before, after
        self._sent = 0

    def send(self, messages, *, template):
        """Send once, and stop as the script says."""
        self._sent += 1
        if self._sent == self._before:
            os.kill(os.getpid(), signal.SIGSTOP)
        results = self._inner.send(messages, template=template)
        if self._sent == self._after:
            os.kill(os.getpid(), signal.SIGSTOP)
        return results


def _work(outbox, provider, batch, lease, before=0, after=0):
    """Do what a worker does, in a process of its own."""
    name = f"worker {os.getpid()}"
    stopping = Stopping(provider, before, after)
    send_messages(
        outbox, stopping, now=now, worker=name, batch=batch,
        lease=milliseconds(lease), sleep=pass_by,
    )  # fmt: skip


def killed_workers(database, *, kills=50, seed=1):
    """Kill a worker again and again; settle, and compare with the truth."""
    begin_day()
    began = time.monotonic()
    dice = random.Random(seed)  # noqa: S311 - a test's dice
    nursery = Nursery(database)
    faults = {"timeout_after": 0.01, "reset_after": 0.02, "throttled": 0.05}
    with (
        FaultyGateway(key=KEY, seed=seed, faults=faults, hold=HOLD) as gateway,
        open_outbox(database, policy=POLICY, wait=120) as outbox,
    ):
        nursery.serve(gateway.url, outbox)
        died, members = 0, itertools.count()
        while died < kills:
            if left(outbox, "queued") < 20:  # too few for one
                some = list(itertools.islice(members, min(500, 12 * (kills - died))))
                kind = "notice" if died % 2 else "marketing"
                fill(outbox, f"batch {died} {some[0]}", some, kind)
            enough = gateway.requests.total() + dice.randint(1, 8)
            child = nursery.start(5, LEASE * 1000)
            status = None
            while gateway.requests.total() < enough and status is None:
                status = nursery.wait(0.003)
            if status is None:
                time.sleep(dice.uniform(0, 0.006))
                with contextlib.suppress(ProcessLookupError):  # it was faster
                    os.kill(child, signal.SIGKILL)
                status = nursery.wait()
            died += os.WIFSIGNALED(status)
            pass_by(LEASE)
        nursery.close()
        provider = provider_for(gateway.url, together=20)
        outbox.recover(at=now())
        parked = left(outbox, "unknown")
        send_until_empty(outbox, provider, "the heir")
        settle_until_known(outbox, provider, gateway)
        settled_truly(outbox, gateway)
        push(outbox, provider, gateway)
        provider.close()
        return count(outbox, gateway, began, parked)


# --- a worker that stops -----------------------------------------------------------


def stopped_workers(database, *, rounds=4, seed=1):
    """Stop a worker past its lease while another works; let it go on; compare."""
    begin_day()
    began = time.monotonic()
    dice = random.Random(seed)  # noqa: S311 - a test's dice
    nursery = Nursery(database, PATIENT)
    with (
        FaultyGateway(key=KEY, seed=seed, hold=HOLD) as gateway,
        open_outbox(database, policy=POLICY, wait=120) as outbox,
    ):
        nursery.serve(gateway.url, outbox)
        provider = provider_for(gateway.url, PATIENT, together=5)
        parked = 0
        for number in range(rounds):
            members = range(number * 30, number * 30 + 30)
            # A notice that nobody has may be sent again: a worker that sleeps between
            # its last look at the clock and the request would make it two.
            before = number % 2
            kind = "marketing" if before else "notice"
            fill(outbox, f"batch {number}", members, kind)
            at = dice.choice([1, 3, 5])  # of two requests of a claim the first
            child = nursery.start(10, LONG * 1000, at * before, at * (1 - before))
            assert os.WIFSTOPPED(nursery.wait())
            pass_by(LONG)
            outbox.recover(at=now())
            parked += left(outbox, "unknown")
            send_until_empty(outbox, provider, "the other", batch=5)
            settle_until_known(outbox, provider, gateway)
            os.kill(child, signal.SIGCONT)
            assert os.WEXITSTATUS(nursery.wait()) == 0
        nursery.close()
        late = int((outbox.journal()["kind"] == "late").sum())
        settle_until_known(outbox, provider, gateway)
        settled_truly(outbox, gateway)
        push(outbox, provider, gateway)
        provider.close()
        return count(outbox, gateway, began, parked), late


# --- opt-outs ----------------------------------------------------------------------


def opted_out(database, *, members=12, seed=1):
    """Opt out at each of nine points before the claim; return how many were sent."""
    begin_day()
    points = [
        "before the batch",
        "after the batch",
        "between two chunks",
        "after the last chunk",
        "after the first approval",
        "after the last approval",
        "after a consent with a later evidence",
        "after others were claimed",
        "after it was postponed",
    ]
    groups = [
        range(start, start + members)
        for start in range(0, members * len(points), members)
    ]
    everybody = range(members * (len(points) + 1))  # the last ones stay
    with (
        FaultyGateway(key=KEY, seed=seed, hold=HOLD) as gateway,
        open_outbox(database, policy=POLICY, wait=60) as outbox,
    ):
        provider = provider_for(gateway.url, PATIENT)
        batch, made = batch_of("promotion", everybody, "marketing")
        by_member = {each.member_id: each.message_id for each in made}
        consent(outbox, everybody)

        def leave(point):
            for number in groups[point]:
                outbox.opt_out(f"M{number}", at=now(), evidence="R")

        leave(0)
        outbox.add_batch(batch)
        leave(1)
        outbox.enqueue("promotion", made[: len(made) // 2])
        leave(2)
        outbox.enqueue("promotion", made[len(made) // 2 :])
        leave(3)
        approve(outbox, batch, ROLES[:1])
        leave(4)
        approve(outbox, batch, ROLES[1:])
        leave(5)
        for number in groups[6]:
            earlier = NOON - dt.timedelta(hours=1)
            outbox.record_consent(f"M{number}", at=earlier, evidence="form 2")
        leave(6)
        first = outbox.claim(worker="first", at=now(), limit=members * 2)
        taken = {claim.message.member_id for claim in first}
        for claim in first:  # these are postponed: they wait for a second try
            gateway.script("throttled")
            result = provider.send([claim.message], template=claim.template)[0]
            outbox.record(claim, result, at=now())
        postponed = set(taken)
        leave(7)
        for member in postponed:
            outbox.opt_out(member, at=now(), evidence="R")
        leave(8)
        before = gateway.requests.copy()
        send_until_empty(outbox, provider, "second")
        provider.close()
        gone = {f"M{number}" for group in groups for number in group} | postponed
        stayed = {f"M{number}" for number in everybody} - gone
        sent = [
            member
            for member in gone
            if gateway.requests[by_member[member]] > before[by_member[member]]
        ]
        assert all(by_member[member] in gateway.accepted for member in stayed)
        frame = outbox.messages().set_index("member_id")
        states = set(frame.loc[sorted(gone), "state"])
        assert states == {"canceled"}, states
        return len(points), len(gone), len(stayed), len(sent)


def racing_opt_outs(database, *, members=200, workers=2, seed=1):
    """Opt out while workers claim; return how many were claimed after their word."""
    begin_day()
    dice = random.Random(seed)  # noqa: S311 - a test's dice
    with (
        FaultyGateway(key=KEY, seed=seed, hold=HOLD) as gateway,
        open_outbox(database, policy=POLICY, wait=60) as outbox,
    ):
        made = fill(outbox, "promotion", range(members))
        heard, claimed = {}, []
        start = threading.Barrier(workers + 1)

        def leave():
            start.wait()
            order = list(range(members))
            dice.shuffle(order)
            for number in order[: members // 2]:
                outbox.opt_out(f"M{number}", at=now(), evidence="R")
                heard[f"M{number}"] = time.monotonic()

        def send(worker, provider):
            start.wait()
            while True:
                begun = time.monotonic()
                claims = outbox.claim(worker=worker, at=now(), limit=3)
                if not claims:
                    return
                claimed.extend((claim.message.member_id, begun) for claim in claims)
                for claim in claims:
                    result = provider.send([claim.message], template=claim.template)[0]
                    outbox.record(claim, result, at=now())

        providers = [provider_for(gateway.url, PATIENT) for _ in range(workers)]
        with ThreadPoolExecutor(workers + 1) as pool:
            jobs = [pool.submit(leave)]
            jobs += [pool.submit(send, f"w{n}", p) for n, p in enumerate(providers)]
            for job in jobs:
                job.result()
        for provider in providers:
            provider.close()
        late = sum(begun > heard.get(member, begun) for member, begun in claimed)
        assert gateway.duplicates == 0
        assert len(claimed) == gateway.requests.total()
        return len(made), len(heard), len(claimed), late


# --- a cap that many campaigns race for ---------------------------------------------


def cap_races(database, *, rounds=3, campaigns=50, workers=4, most=1, seed=1):
    """Let campaigns race for one member's cap; return the most that one got."""
    begin_day()
    cap = ContactPolicy(caps=[ContactCap(most=most, window="day")])
    policy = attrs.evolve(POLICY, contact=cap)
    worst = total = 0
    # a lost answer counts as sent: the cap must hold for it too
    faults = {"reset_after": 0.3, "error_before": 0.2}
    with (
        FaultyGateway(key=KEY, seed=seed, faults=faults, hold=HOLD) as gateway,
        open_outbox(database, policy=policy, wait=120) as outbox,
    ):
        # Each has batches of its own: nothing but the member keeps them apart.
        providers = [
            provider_for(gateway.url, PATIENT, name=f"account{number}")
            for number in range(workers)
        ]
        with ThreadPoolExecutor(workers) as pool:
            for member in range(rounds):
                own = []
                for campaign in range(campaigns):
                    name = providers[campaign % workers].name
                    own += fill(outbox, f"{member} {campaign}", [member], provider=name)
                start = threading.Barrier(workers)

                def race(number, start=start):
                    start.wait()
                    send_messages(
                        outbox, providers[number], now=now, worker=f"w{number}"
                    )

                list(pool.map(race, range(workers)))
                got = [gateway.requests[each.message_id] for each in own]
                worst, total = max(worst, sum(got)), total + sum(got)
        for provider in providers:
            provider.close()
    assert worst <= most, f"{worst} of at most {most}"
    return total, worst


def say(text):
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main():
    """Run all storms and print the totals."""
    messages, kills = map(int, [*sys.argv[1:], 2000, 50][:2])
    with tempfile.TemporaryDirectory() as folder:
        numbers = itertools.count()

        def new():
            return str(Path(folder) / f"{next(numbers)}.db")

        careless = careless_day(messages=messages)
        say(f"again on any error, 5 times: {careless}")
        say(f"the outbox: {bad_day(new(), messages=messages)}")
        say(f"{kills} kills: {killed_workers(new(), kills=kills)}")
        totals, late = stopped_workers(new(), rounds=max(3, kills // 10))
        say(f"stopped past the lease: {totals}; {late} late results refused")
        points, gone, stayed, sent = opted_out(new())
        say(f"opt-out at {points} points: {gone} members left, {stayed} stayed, "
              f"{sent} sent after their word")  # fmt: skip
        made, heard, claimed, late = racing_opt_outs(new())
        say(f"opt-outs at once with claims: {made} messages, {heard} left, {claimed} "
              f"claimed before, {late} claimed after their word")  # fmt: skip
        total, worst = cap_races(new(), rounds=5)
        say(f"5 races of 50 campaigns for a cap of 1: {total} sent, at most {worst}")


if __name__ == "__main__":
    main()
