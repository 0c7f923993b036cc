"""Wrong use, told in one line in the language asked for; the exit statuses."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memberops.domain.values import Language

__all__ = ["FAULT", "FOUND", "WRONG_USE", "language_of_arguments", "tell_wrong_use"]

FOUND, WRONG_USE, FAULT = 1, 2, 3

_KINDS = (
    ("MissingArgumentError", "缺少必需的选项。"),
    ("MissingExtraError", "缺少可选依赖包。"),
    ("ConfigurationError", "配置文件有误。"),
    ("MissingColumnsError", "数据缺少必需的列。"),
    ("ColumnTypeError", "列的数据类型不对。"),
    ("SourceError", "数据源无法读取或文件无法写入。"),
    ("ScheduleError", "月份或日期有误。"),
    ("AdapterConflictError", "两个插件的适配器重名。"),
    ("PluginError", "插件出错。"),
    ("UnknownAdapterError", "没有这个适配器。"),
    ("UnknownTableError", "没有这张表或表单。"),
    ("OutOfStockError", "库存不足。"),
    ("KeyConflictError", "同一编号的内容不一致。"),
    ("ClosedPeriodError", "该期间已结账。"),
    ("ReversalError", "不能这样冲销。"),
    ("HoldError", "预留已用完、已取消或已过期。"),
    ("LotConflictError", "批次或有效期不符。"),
    ("BalanceOverflowError", "结存超出可存范围。"),
    ("BrokenChainError", "台账文件被改动或不完整。"),
    ("LedgerError", "台账拒绝这笔记录。"),
    ("LedgerBusyError", "台账数据库正忙，请重试。"),
    ("LedgerVersionError", "台账由更新版本的程序写成。"),
    ("LedgerStoreError", "台账数据库无法使用。"),
    ("UnknownPlaceError", "没有这个库位或账户。"),
    ("UnknownGiftError", "没有这种礼品。"),
    ("UnknownPostingError", "台账里没有这笔记录。"),
    ("InvalidValueError", "选项的值不对。"),
    ("UnknownOptionError", "没有这个选项。"),
    ("UnknownCommandError", "没有这个命令。"),
    ("CoercionError", "选项的值不对。"),
    ("OverflowError", "日期或数值超出可计算的范围。"),
    ("str", "文件无法读写。"),
)
"""By the kind of an error, the first that fits: what it means in Chinese."""


def language_of_arguments(arguments: Sequence[str]) -> "Language | None":
    """
    Return the language that the arguments ask for, as far as they can be read.

    >>> language_of_arguments(["sla", "--language", "zh", "--as-off", "x"])
    'zh'
    """
    option, found = "--language", None
    for at, argument in enumerate(arguments):
        name, _, value = argument.partition("=")
        if name == option:
            value = value or "".join(arguments[at + 1 : at + 2])
            found = value if value in ("zh", "en") else None
    return found  # type: ignore[return-value]


def tell_wrong_use(error: object, language: "Language | None" = None) -> int:
    """
    Say what was wrong in one line, in the language asked for.

    Where an error has no Chinese text, a Chinese word for its kind leads the English.

    Args:
        error: What was raised, or what to say of it.
        language: The language that was asked for; None for both.

    Returns:
        The exit status of wrong use.
    """
    kind = next((text for name, text in _KINDS if _is_a(error, name)), "用法有误。")
    place = "".join(f"{note}: " for note in getattr(error, "__notes__", ()))
    chinese = getattr(error, "text_zh", "")
    if chinese and language != "en":
        told = "" if language == "zh" else f" {error}"
        lead = "错误：" if language == "zh" else "错误 error: "
        sys.stderr.write(f"{lead}{place}{chinese}{told}\n")
        return WRONG_USE
    leads = {
        "zh": f"错误：{kind}英文详情：",
        "en": "error: ",
        None: f"错误 error: {kind} ",
    }
    sys.stderr.write(f"{leads[language]}{place}{error}\n")
    return WRONG_USE


def _is_a(error: object, name: str) -> bool:
    return any(kind.__name__ == name for kind in type(error).__mro__)
