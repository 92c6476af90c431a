"""Owns how panels look: one style sheet in JupyterLab's own variables, with fallbacks for other frontends."""

from __future__ import annotations

__all__ = ["PANEL", "STYLE"]

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
