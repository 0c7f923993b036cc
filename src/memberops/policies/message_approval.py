"""Two approvals by two people, bound to what they approved (HQ §6.1)."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from memberops.domain import Reason
from memberops.domain.message import BatchApproval, MessageBatch
from memberops.errors import InvalidValueError

__all__ = ["approval_reasons", "person_of", "role_names"]


def person_of(actor: str) -> str:
    r"""
    Return who is meant by an id of staff: its case, width and unseen marks aside.

    >>> person_of("Ｅ1") == person_of("e\u200b1")
    True
    """
    seen = "".join(c for c in actor if unicodedata.category(c) not in {"Cf", "Cc"})
    return unicodedata.normalize("NFKC", seen).casefold().strip()


def role_names(values: Iterable[str]) -> tuple[str, ...]:
    """
    Return the roles that approve (attrs converter).

    Raises:
        InvalidValueError: There is none, one comes twice, or it is one text: without
            roles anybody's message would leave.
    """
    names = () if isinstance(values, str) else tuple(values)
    plain = all(str(name).strip() for name in names)
    if not names or not plain or len(set(names)) < len(names):
        raise InvalidValueError(
            "'roles' has at least one role, and each once: "
            "('customer_service_manager', 'brand_manager')"
        )
    return names


def approval_reasons(
    batch: MessageBatch,
    approvals: Iterable[BatchApproval],
    *,
    roles: Sequence[str],
    as_of: dt.datetime,
    canceled_at: dt.datetime | None = None,
    in_order: bool = False,
) -> tuple[str, tuple[Reason, ...]]:
    """
    Decide on a batch, see `MessagePolicy.approval`.

    Args:
        batch: As it is now.
        approvals: All words on it.
        roles: The roles that are needed.
        as_of: The moment; with *in_order* only its window is asked.
        canceled_at: When the batch was canceled.
        in_order: The words come in the order in which they were written down, which
            holds whatever the clocks of those who spoke said.

    Returns:
        ``"approved"``, ``"waiting"``, ``"void"`` or ``"refused"``, with the reasons;
        of a batch that is not approved the last tells which roles are missing.
    """
    told = [
        word
        for word in approvals
        if word.batch_id == batch.batch_id and (in_order or word.at <= as_of)
    ]
    # The last word of a person in a role counts; of two at once, the refusal.
    if not in_order:
        told.sort(key=lambda word: (word.at, not word.granted))
    last = {(person_of(word.actor), word.role): word for word in told}
    # A no to this version stands until the same person says yes to this version.
    here = {
        (person_of(word.actor), word.role): word
        for word in told
        if word.fingerprint == batch.fingerprint
    }
    standing = [word for key, word in here.items() if last[key] is not word]
    willing: dict[str, set[str]] = {role: set() for role in roles}
    reasons: list[Reason] = []
    refused = stale = False
    for word in (*last.values(), *(each for each in standing if not each.granted)):
        rule = _fault(batch, word, willing)
        if rule == "granted":
            willing[word.role].add(person_of(word.actor))
        refused = refused or rule == "refused"
        stale = stale or rule in {"changed", "before"}
        reasons.append(_reason(rule, word))
    if canceled_at is not None and canceled_at <= as_of:
        reasons.append(_plain("canceled", "the batch was canceled", "批次已取消"))
        return "void", tuple(reasons)
    if batch.closes_at <= as_of:
        closed = _plain("closed", "the batch's window has closed", "批次发送时段已过")
        return "void", (*reasons, closed)
    if refused:
        return "refused", tuple(reasons)
    filled = _filled(willing)
    missing = [role for role in roles if role not in filled]
    if not missing:
        return "approved", tuple(reasons)
    return "void" if stale else "waiting", (*reasons, _missing(missing))


def _fault(
    batch: MessageBatch, word: BatchApproval, roles: Mapping[str, object]
) -> str:
    if word.role not in roles:
        return "role"
    if word.fingerprint != batch.fingerprint:
        return "changed"
    if not word.granted:
        return "refused"
    if person_of(word.actor) == person_of(batch.author):
        return "author"
    return "before" if word.at < batch.created_at else "granted"


def _filled(willing: Mapping[str, set[str]]) -> dict[str, str]:
    """Give as many roles as can be a person each, nobody two (augmenting paths)."""
    holder: dict[str, str] = {}

    def place(role: str, tried: set[str]) -> bool:
        for person in sorted(willing[role]):
            if person not in tried:
                tried.add(person)
                if person not in holder or place(holder[person], tried):
                    holder[person] = role
                    return True
        return False

    for role in willing:
        place(role, set())
    return {role: person for person, role in holder.items()}


_TEXTS = {
    "granted": ("{actor} approved as {role}", "{actor} 以 {role} 身份批准"),
    "refused": (
        "{actor} refused or withdrew as {role}",
        "{actor} 以 {role} 身份拒绝或撤回",
    ),
    "changed": (
        "{actor} spoke of another text, audience, window or cost cap: it has changed",
        "{actor} 审批的是另一版本：文本、名单、时段或费用上限已变更",
    ),
    "before": (
        "{actor} approved before the batch was made",
        "{actor} 的批准早于批次生成",
    ),
    "author": (
        "{actor} made the batch and cannot approve it",
        "{actor} 是编制人，不得审批",
    ),
    "role": ("the role {role} does not approve messages", "{role} 无短信审批权限"),
}


def _reason(rule: str, word: BatchApproval) -> Reason:
    english, chinese = _TEXTS[rule]
    return Reason(
        rule=rule,
        met=rule == "granted",
        text_en=english.format(actor=word.actor, role=word.role),
        text_zh=chinese.format(actor=word.actor, role=word.role),
        figures=(
            ("actor", word.actor),
            ("role", word.role),
            ("at", word.at.astimezone(dt.UTC).isoformat()),
        ),
    )


def _plain(rule: str, text_en: str, text_zh: str) -> Reason:
    return Reason(rule=rule, met=False, text_en=text_en, text_zh=text_zh)


def _missing(roles: Sequence[str]) -> Reason:
    return Reason(
        rule="missing",
        met=False,
        text_en=f"still to approve, each by another person: {', '.join(roles)}",
        text_zh=f"尚待不同人员批准：{'、'.join(roles)}",
        figures=(("roles", ", ".join(roles)),),
    )
