"""Owns the few lines of JavaScript that keep JupyterLab's one-key commands out of a panel while it has the focus.

Without them a panel works all the same; `b` pressed on a button would insert a cell, and arrow keys in a list would
move the cell. They run in an output widget, which every frontend of ipywidgets has: nothing to install or to fetch.
"""

from __future__ import annotations

from ipywidgets import Output

from zennb.jupyter.panels.kit.theme import PANEL

__all__ = ["SCRIPT", "keys"]

SCRIPT = f"""
(function hold(element, tries) {{
  const root = element.closest('.{PANEL}');
  if (!root && tries > 0) setTimeout(() => hold(element, tries - 1), 100);
  if (!root || root.hasAttribute('data-zennb-keys')) return;
  root.setAttribute('data-zennb-keys', '');
  const held = 'data-lm-suppress-shortcuts';
  const mark = (event) => {{
    if (event.ctrlKey || event.metaKey) event.target.removeAttribute(held);
    else event.target.setAttribute(held, 'true');
  }};
  root.addEventListener('focusin', () => window.addEventListener('keydown', mark, true));
  root.addEventListener('focusout', () => window.removeEventListener('keydown', mark, true));
}})(element, 50);
""".strip()
"""Waits until the panel is in the page; keys with Ctrl or Cmd (save, the palette) stay the frontend's."""


def keys() -> Output:
    """Return the widget that runs the script in each view of a panel; it takes no room."""
    shown = {"output_type": "display_data", "data": {"application/javascript": SCRIPT}, "metadata": {}}
    hidden = Output(outputs=(shown,))
    hidden.add_class("zennb-none")
    return hidden
