"""Which part of an .xlsx archive holds which sheet."""

from __future__ import annotations

import posixpath
import zipfile
from xml.etree import ElementTree as ET

__all__ = ["parts_of_sheets"]

_BOOK = "xl/workbook.xml"
_LINKS = "xl/_rels/workbook.xml.rels"
_ID = "}id"


def parts_of_sheets(archive: zipfile.ZipFile) -> dict[str, str]:
    """
    Return the name of each sheet's part by the name of the sheet.

    Args:
        archive: A workbook whose parts were found to be of bounded size and to
            declare no entities.

    Returns:
        Nothing if the archive is not laid out as an .xlsx file usually is: then its
        sheets are read without what only the XML tells.
    """
    names = set(archive.namelist())
    if not {_BOOK, _LINKS} <= names:
        return {}
    targets = {
        link.get("Id"): _place(link.get("Target", ""))
        for link in ET.fromstring(archive.read(_LINKS))  # noqa: S314 - no entities
    }
    found = {}
    for element in ET.fromstring(archive.read(_BOOK)).iter():  # noqa: S314 - the same
        if element.tag.endswith("}sheet"):
            link = next((v for k, v in element.items() if k.endswith(_ID)), None)
            if (part := targets.get(link)) in names:
                found[element.get("name", "")] = part
    return {name: part for name, part in found.items() if part}


def _place(target: str) -> str:
    absolute = target.startswith("/")
    return posixpath.normpath(target[1:] if absolute else f"xl/{target}")
