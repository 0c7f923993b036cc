"""Words that several tables have in common: yes and no, channels, and what they say."""

from __future__ import annotations

__all__ = ["YES_NO", "spelled"]


def spelled(**words: str) -> tuple[tuple[str, str], ...]:
    """
    List the spellings of the words of a choice, each word among its own.

    Args:
        **words: By word, its other spellings, parted by commas; spaces count.

    >>> spelled(sms="短信,text message", phone="电话")
    (('sms', 'sms'), ('短信', 'sms'), ('text message', 'sms'), ('phone', 'phone'), ...
    """
    pairs = []
    for word, others in words.items():
        own = (word, word.replace("_", " "), *filter(None, others.split(",")))
        pairs += [(spelling, word) for spelling in dict.fromkeys(own)]
    return tuple(pairs)


YES_NO = spelled(yes="是,有,同意,y,true,1,√", no="否,无,不,拒绝,n,false,0,×")
"""Yes or no, as exports write it."""
