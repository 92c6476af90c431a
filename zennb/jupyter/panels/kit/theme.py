"""Owns what panels put into the page: one style sheet in JupyterLab's own variables, and a script, `panel.js`.

The style sheet has fallbacks for other frontends. The script keeps JupyterLab's one-key commands out of a panel that
has the focus (`b` pressed on a button would insert a cell), gives the focus back to the cell on Escape, and follows
links. It runs in an output widget, which every frontend of ipywidgets has, so there is nothing to install or to fetch.
"""

from __future__ import annotations

from pathlib import Path

from ipywidgets import Output

from zennb.views.markup import LINE, MINOR
from zennb.views.rows import ROW_HEIGHT

__all__ = ["ONE_OF_TWO", "PANEL", "ROW_STYLE", "STYLE", "keys"]

PANEL = "zennb-panel"
"""The class of every panel's outermost box."""

ARROW = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 18 18'%3E"
    "%3Cpath d='M5 7l4 4 4-4' fill='none' stroke='%23ddd' stroke-width='2'/%3E%3C/svg%3E"
)
"""The arrow of a menu in a dark theme, where the stock one is dark, too."""

LOST = '.jp-Notebook-ExecutionIndicator:is([data-status="unknown"], [data-status="dead"])'
"""What a notebook's toolbar shows when its kernel was shut down or cannot be reached."""

STYLE = """<style>
.zennb-panel {
  --zb-line: var(--jp-border-color2, var(--vscode-panel-border, rgba(128,128,128,.35)));
  --zb-ink: var(--jp-ui-font-color1, var(--vscode-editor-foreground, inherit));
  --zb-quiet: var(--jp-ui-font-color2, var(--vscode-descriptionForeground, inherit));
  --zb-paper: var(--jp-layout-color1, var(--vscode-editor-background, transparent));
  --zb-shade: var(--jp-layout-color2, rgba(128,128,128,.12));
  --zb-mark: var(--jp-brand-color1, var(--vscode-focusBorder, #2b80c8));
  --zb-bad: var(--jp-error-color1, var(--vscode-errorForeground, #d94b42));
  container-type: inline-size; box-sizing: border-box; max-width: 1120px; margin: 2px 0; padding: 8px 12px;
  border: 1px solid var(--zb-line); border-radius: 3px; overflow: hidden;
  color: var(--zb-ink); font-family: var(--jp-ui-font-family, system-ui, sans-serif);
  font-size: var(--jp-ui-font-size1, 13px); line-height: 1.5;
}
.zennb-panel .widget-html-content { color: var(--zb-ink); }
.zennb-panel .widget-html, .zennb-panel .widget-html-content {
  line-height: 1.5; height: auto; min-width: 0; font-size: inherit;
}
.zennb-panel .widget-html-content { flex: 1 1 auto; overflow-wrap: break-word; }
.zennb-panel .widget-box { overflow: visible; min-width: 0; }
.zennb-panel .zennb-none { display: none !important; }
.zennb-panel .zennb-head { align-items: baseline; gap: 4px 16px; }
.zennb-panel .zennb-head > :first-child { flex: 0 0 auto; font-weight: 600; }
.zennb-panel .zennb-message { flex: 1 1 0; min-width: 0; min-height: 1.6em; }
.zennb-panel .zennb-quiet, .zennb-panel .zennb-quiet .widget-html-content { color: var(--zb-quiet); }
.zennb-panel .zennb-bar { flex-flow: row wrap; gap: 4px; align-items: center; }
.zennb-panel .zennb-columns { display: flex; flex-flow: row nowrap; gap: 20px; align-items: flex-start; }
.zennb-panel .zennb-columns > .zennb-side { flex: 0 0 230px; min-width: 0; }
.zennb-panel .zennb-columns > .zennb-main { flex: 1 1 0; min-width: 0; container-type: inline-size; }
@container (max-width: 720px) {
  .zennb-panel .zennb-columns { flex-flow: column nowrap; align-items: stretch; gap: 8px; }
  .zennb-panel .zennb-columns > .zennb-side, .zennb-panel .zennb-columns > .zennb-main { flex: 0 0 auto; }
}
.zennb-panel .zennb-field {
  display: grid; grid-template-columns: minmax(260px, 3fr) minmax(0, 4fr); gap: 0 12px; align-items: start;
}
@container (max-width: 600px) { .zennb-panel .zennb-field { grid-template-columns: minmax(0, 1fr); } }
.zennb-panel .zennb-field > .jupyter-widgets { width: auto; margin: 2px 0; }
.zennb-panel .zennb-note { min-height: 1.5em; color: var(--zb-quiet); font-size: 12px; line-height: 1.4; }
.zennb-panel .zennb-note .widget-html-content { color: var(--zb-quiet); line-height: 1.4; font-size: 12px; }
.zennb-panel .zennb-note [role=alert] { color: var(--zb-ink); }
.zennb-panel .widget-label { color: var(--zb-ink); }
.zennb-panel .zennb-pages { border-bottom: 1px solid var(--zb-line); gap: 0; margin: 0 0 8px 0; }
.zennb-panel .zennb-page.jupyter-button {
  background: none; color: var(--zb-ink); border-bottom: 3px solid transparent; box-shadow: none;
}
.zennb-panel .zennb-page.zennb-current { font-weight: 600; border-bottom-color: var(--zb-mark); }
.zennb-panel .jupyter-button, .zennb-panel select, .zennb-panel input { border-radius: 2px; }
.zennb-panel .jupyter-button { width: auto; padding: 0 12px; }
.zennb-panel .zennb-list { flex-flow: column nowrap; width: auto; align-items: stretch; height: auto; }
.zennb-panel .zennb-list > label { text-align: left; width: auto; color: var(--zb-quiet); }
.zennb-panel .zennb-menu, .zennb-panel .widget-dropdown { width: auto; max-width: 520px; }
.zennb-panel .zennb-side .zennb-menu { flex-flow: column nowrap; align-items: stretch; height: auto; }
.zennb-panel .zennb-side .zennb-menu > label { text-align: left; width: auto; color: var(--zb-quiet); }
.zennb-panel .zennb-side .zennb-menu > select { flex: 0 0 auto; height: var(--jp-widgets-inline-height, 28px); }
.zennb-panel .zennb-box .zennb-menu { max-width: 640px; }
@container (max-width: 720px) {
  .zennb-panel .zennb-side .zennb-menu { max-width: none; }
  .zennb-panel .zennb-side .zennb-list select { flex: 0 0 7.5em; }
}
[data-jp-theme-light="false"] .zennb-panel .widget-dropdown > select {
  background-image: url("ARROW");
}
.zennb-panel .zennb-list select { flex: 0 0 auto; padding: 2px; background: var(--zb-paper); color: var(--zb-ink); }
.zennb-panel .zennb-list option { padding: 3px 6px; overflow: hidden; text-overflow: ellipsis; }
.zennb-panel button:focus-visible, .zennb-panel select:focus-visible, .zennb-panel input:focus-visible,
.zennb-panel summary:focus-visible, .zennb-panel [tabindex]:focus-visible {
  outline: 2px solid var(--zb-mark); outline-offset: 1px;
}
.zennb-panel [data-zennb-go] { cursor: pointer; }
.zennb-panel span[data-zennb-go] { color: var(--jp-content-link-color, var(--vscode-textLink-foreground, #2b80c8)); }
.zennb-panel span[data-zennb-go]:hover { text-decoration: underline; }
.zennb-panel g[data-zennb-go]:hover rect { stroke-width: 2.4; }
.zennb-panel g[data-zennb-go]:focus-visible { outline: none; }
.zennb-panel g[data-zennb-go]:focus-visible rect { stroke: var(--zb-mark); stroke-width: 3; }
.zennb-panel .zennb-canvas { overflow: auto; max-height: 440px; }
.zennb-panel .zennb-box { border-top: 1px solid var(--zb-line); padding: 8px 0 0; margin: 8px 0 0; }
.zennb-panel .zennb-gone { display: none; font-weight: 600; }
.zennb-panel.jupyter-widgets-disconnected > .zennb-gone { display: flex; }
.zennb-panel.jupyter-widgets-disconnected > .zennb-live { opacity: .45; pointer-events: none; }
.jp-NotebookPanel:has(LOST) .zennb-panel > .zennb-gone { display: flex; }
.jp-NotebookPanel:has(LOST) .zennb-panel > .zennb-live { opacity: .45; pointer-events: none; }
.zennb-panel.jupyter-widgets-disconnected::before { content: none; }
.zennb-panel .jupyter-widgets-disconnected::before { content: none; }
.zennb-panel[data-zennb-keys] > .zennb-foot { display: none; }
</style>""".replace("ARROW", ARROW).replace("LOST", LOST)
"""Goes into an `HTML` widget of each panel; it names only classes that begin with `zennb-`, inside `zennb-panel`."""

ONE_OF_TWO = (
    "<style>"
    ".jp-OutputArea-child:has(.zennb-static):has(+ .jp-OutputArea-child .zennb-panel),"
    ".jp-OutputArea-child:has(.zennb-static) + .jp-OutputArea-child:not(:has(.zennb-panel))"
    "{display:none}</style>"
)
"""Of a static picture and the panel behind it, hides the picture while the panel is there, and else its error."""

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

SCRIPT = Path(__file__).with_name("panel.js").read_text(encoding="utf-8")
"""Waits until the panel is in the page, and does nothing in one where it ran before."""


def keys() -> Output:
    """Return the widget that runs the script in each view of a panel; it takes no room."""
    shown = {"output_type": "display_data", "data": {"application/javascript": SCRIPT}, "metadata": {}}
    hidden = Output(outputs=(shown,))
    hidden.add_class("zennb-none")
    return hidden
