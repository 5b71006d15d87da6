"""What a request is for, by the extension of its path: a page, a part of a page, or a download.

The lists are our own, made from the IANA registry of media types: parts of pages are what browsers fetch by themselves
to show one (images, styles, scripts, fonts, data for scripts); downloads are documents, archives, programs, sound and
film.
"""

from functools import lru_cache
from urllib.parse import unquote


def _words(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


PARTS_OF_PAGES = _words(
    "bmp gif ico cur jpeg jpg png svg svgz webp",
    "css less scss js class swf xml dtd rdf",
    "ttf eot otf woff woff2",
)
DOWNLOADS = _words(
    "csv doc docm docx dot dotx epub gpx json key kml kmz mobi numbers odb odf odg odp ods odt pages parquet pdf",
    "pot potx pps ppsx ppt pptm pptx ps rtf sqlite txt vsd xls xlsb xlsm xlsx",
    "7z arj bz2 cab gz gzip lz lzh lzma rar sit tar tbz tbz2 tgz txz xz z zip zst",
    "apk app appimage bin deb dmg exe hqx img ipa jar msi msp pkg rpm torrent vdi vmdk war xpi",
    "aac aif aiff flac mid midi mka mp2 mp3 oga ogg opus ra ram wav wma",
    "3gp asf asx avi divx flv mkv mov mp4 mpe mpeg mpg ogv qt vob webm wmv",
)


@lru_cache(maxsize=65_536)
def extension(path: str) -> str:
    """The extension of a path without a query, in lower case; empty for none."""
    name = path.rpartition("/")[2]
    if "%" in name:
        name = unquote(name)
    _, dot, ending = name.rpartition(".")
    return ending.lower() if dot and len(ending) <= 10 else ""
