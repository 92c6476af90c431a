/* Runs once in each view of a panel: the keys of the panel, the way out of it, and the links in it. */
(function begin(element, tries) {
  const root = element.closest('.zennb-panel');
  if (!root && tries > 0) setTimeout(() => begin(element, tries - 1), 100);
  if (!root || root.hasAttribute('data-zennb-keys')) return;
  root.setAttribute('data-zennb-keys', '');

  /* JupyterLab leaves the focus where it is, so without this the notebook would not get its keys back. */
  const leave = () => {
    const cell = root.closest('.jp-Cell');
    if (cell) cell.focus({ preventScroll: true });
    else if (root.contains(document.activeElement)) document.activeElement.blur();
  };
  const clicked = (event) => {
    const prompt = event.target.closest('.jp-InputPrompt, .jp-OutputPrompt');
    if (prompt && prompt.closest('.jp-Cell') === root.closest('.jp-Cell')) setTimeout(leave);
  };

  /* `b` pressed on a button would insert a cell. Keys with Ctrl or Cmd (save) stay the frontend's. */
  const held = 'data-lm-suppress-shortcuts';
  const pressed = (event) => {
    if (event.ctrlKey || event.metaKey) event.target.removeAttribute(held);
    else event.target.setAttribute(held, 'true');
    if (event.key === 'Escape') leave();
  };

  /* On the window, because fields of ipywidgets keep keys to themselves. */
  root.addEventListener('focusin', () => {
    window.addEventListener('keydown', pressed, true);
    window.addEventListener('mousedown', clicked, true);
  });
  root.addEventListener('focusout', () => {
    window.removeEventListener('keydown', pressed, true);
    window.removeEventListener('mousedown', clicked, true);
  });
})(element, 50);
