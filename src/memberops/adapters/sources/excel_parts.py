"""Which part of an .xlsx or .xlsb archive holds which sheet."""

from __future__ import annotations

import posixpath
import zipfile
from xml.etree import ElementTree as ET

__all__ = ["linked_parts", "parts_of_sheets", "plain_name"]

_BOOK = "xl/workbook.xml"
_LINKS = "xl/_rels/workbook.xml.rels"
_ID = "}id"


def plain_name(name: str) -> str:
    r"""
    Bring the name of a part into one form: some programs write backslashes.

    >>> plain_name("xl\\Worksheets\\Sheet1.xml")
    'xl/worksheets/sheet1.xml'
    """
    return name.replace("\\", "/").casefold()


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
    names = {plain_name(name): name for name in archive.namelist()}
    if not {_BOOK, _LINKS} <= names.keys():
        return {}
    targets = linked_parts(archive.read(names[_LINKS]))
    found: dict[str, str] = {}
    for element in ET.fromstring(archive.read(names[_BOOK])).iter():  # noqa: S314 - the same
        if element.tag.endswith("}sheet"):
            link = next((v for k, v in element.items() if k.endswith(_ID)), None)
            if part := names.get(targets.get(link or "", "")):
                found[element.get("name", "")] = part
    return found


def linked_parts(links: bytes) -> dict[str, str]:
    """Return the plain names of the parts that a book links to, by their ids."""
    return {
        link.get("Id", ""): _place(link.get("Target", ""))
        for link in ET.fromstring(links)  # noqa: S314 - no entities
    }


def _place(target: str) -> str:
    plain = plain_name(target)
    return posixpath.normpath(plain[1:] if plain.startswith("/") else f"xl/{plain}")
