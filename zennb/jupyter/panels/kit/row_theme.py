"""Owns how lists of rows look in a panel: controls in a column, exactly beside the rows of a table."""

from __future__ import annotations

from zennb.views.markup import LINE
from zennb.views.rows import MINOR, ROW_HEIGHT

__all__ = ["ROW_STYLE"]

ROW_STYLE = f"""<style>
.zennb-panel .zennb-now {{
  flex-flow: row nowrap; align-items: center; gap: 8px; min-height: 34px; padding: 0 8px; margin: 0 0 4px 0;
  border: 1px solid var(--zb-line); border-radius: 2px;
}}
.zennb-panel .zennb-now > :first-child {{ flex: 1 1 auto; min-width: 0; overflow: hidden; }}
.zennb-panel .zennb-now .widget-html-content {{ white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }}
.zennb-panel .zennb-now .jupyter-button {{ flex: 0 0 auto; }}
.zennb-panel .zennb-said {{ flex-flow: row wrap; align-items: center; gap: 4px; margin: 4px 0 0 0; }}
.zennb-panel .zennb-said > :first-child {{ flex: 1 1 240px; min-width: 0; }}
.zennb-panel .zennb-rows {{ flex-flow: row nowrap; align-items: flex-start; gap: 0; overflow: hidden; margin: 0; }}
.zennb-panel .zennb-rows > .zennb-openers {{
  flex: 0 0 auto; max-width: 38%; min-width: 72px; padding: {ROW_HEIGHT}px 0 0 0; margin: 0; gap: 0;
  border-right: 1px solid {LINE};
}}
.zennb-panel .zennb-openers .jupyter-button {{
  height: {ROW_HEIGHT}px; line-height: {ROW_HEIGHT - 2}px; margin: 0; padding: 0 10px 0 6px; width: auto;
  text-align: left; background: none; box-shadow: none; color: var(--zb-link, var(--jp-content-link-color, inherit));
  overflow: hidden; text-overflow: ellipsis; white-space: nowrap; border-left: 3px solid transparent;
  font-variant-numeric: tabular-nums;
}}
.zennb-panel .zennb-openers .jupyter-button:hover {{ background: var(--zb-shade); box-shadow: none; }}
.zennb-panel .zennb-openers .jupyter-button.zennb-current {{
  font-weight: 600; border-left-color: var(--zb-mark); background: var(--zb-shade);
}}
.zennb-panel .zennb-openers .jupyter-button:focus-visible {{ outline-offset: -2px; }}
.zennb-panel .zennb-rows > .zennb-cells {{ flex: 1 1 0; min-width: 0; margin: 0; padding: 0 0 0 12px; }}
.zennb-panel .zennb-rows .widget-html-content {{ overflow: hidden; overflow-wrap: normal; }}
.zennb-panel .zennb-filters {{ gap: 2px 10px; }}
.zennb-panel .zennb-filters .widget-dropdown, .zennb-panel .zennb-filters .widget-text {{ width: auto; margin: 0; }}
.zennb-panel .zennb-filters select {{ max-width: 200px; }}
.zennb-panel .zennb-filters .widget-text input {{ width: 130px; flex: 0 0 auto; }}
.zennb-panel .zennb-part {{ margin: 10px 0 0 0; }}
.zennb-panel .zennb-part > .zennb-title {{ margin: 0; }}
@container (max-width: 680px) {{
  .zennb-panel .{MINOR} {{ display: none; }}
  .zennb-panel .zennb-rows td {{ max-width: 24ch !important; }}
}}
.zennb-panel .zennb-pair {{ flex-flow: row wrap; align-items: flex-start; gap: 4px 32px; }}
.zennb-panel .zennb-pair > * {{ flex: 1 1 320px; min-width: 0; }}
</style>"""
"""Goes into an `HTML` widget of a panel with lists, beside the panels' own style sheet."""
