"""Wrong use, told in one line in both languages; the exit statuses."""

import sys

__all__ = ["FAULT", "FOUND", "WRONG_USE", "tell_wrong_use"]

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


def tell_wrong_use(error: object) -> int:
    """
    Say what was wrong: its kind in Chinese, and the details as they were told.

    Returns:
        The exit status of wrong use.
    """
    kind = next((text for name, text in _KINDS if _is_a(error, name)), "用法有误")
    place = "".join(f"{note}: " for note in getattr(error, "__notes__", ()))
    sys.stderr.write(f"错误 error: {kind} {place}{error}\n")
    return WRONG_USE


def _is_a(error: object, name: str) -> bool:
    return any(kind.__name__ == name for kind in type(error).__mro__)
