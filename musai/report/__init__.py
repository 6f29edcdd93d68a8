"""Records -> Report -> JSON and HTML: what was compared with what, and how alike it is."""

from musai.report.build import build_report, player_record
from musai.report.html import render_html
from musai.report.inputs import Evidence
from musai.report.plain import from_json, from_plain, save_report, to_json, to_plain
from musai.report.records import Report
from musai.report.roll import roll_svg
from musai.report.works import work_record

__all__ = [
    "Evidence",
    "Report",
    "build_report",
    "from_json",
    "from_plain",
    "player_record",
    "render_html",
    "roll_svg",
    "save_report",
    "to_json",
    "to_plain",
    "work_record",
]
