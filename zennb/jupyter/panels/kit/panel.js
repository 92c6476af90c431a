/* Runs once in each view of a panel: the keys of the panel, the way out of it, and the links in it. */
(function begin(element, tries) {
  const root = element.closest('.zennb-panel');
  if (!root && tries > 0) setTimeout(() => begin(element, tries - 1), 100);
  if (!root || root.hasAttribute('data-zennb-keys')) return;
  root.setAttribute('data-zennb-keys', '');
  let presses = 0;

  /* Python listens to the hidden line; the number makes two presses of one link two values. */
  const follow = (event) => {
    const link = event.target.closest && event.target.closest('[data-zennb-go]');
    const line = root.querySelector('.zennb-link input');
    if (!link || !line) return;
    event.preventDefault();
    presses += 1;
    line.value = `${link.dataset.zennbGo}#${Date.now()}-${presses}`;
    line.dispatchEvent(new Event('input', { bubbles: true }));
    line.dispatchEvent(new Event('change', { bubbles: true }));
  };
  root.addEventListener('click', follow);
  root.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' || event.key === ' ') follow(event);
  });

  /* Only here are they links, so only here Tab stops at them. */
  const prepare = () => {
    root.querySelectorAll('[data-zennb-go]:not([tabindex])').forEach((link) => {
      link.setAttribute('tabindex', '0');
      link.setAttribute('role', 'link');
    });
    root.querySelectorAll('[data-zennb-found]').forEach((node) => {
      node.removeAttribute('data-zennb-found');
      const canvas = node.closest('.zennb-canvas');
      if (!canvas) return;
      const [box, around] = [node.getBoundingClientRect(), canvas.getBoundingClientRect()];
      canvas.scrollLeft += box.left - around.left - around.width / 2;
      canvas.scrollTop += box.top - around.top - around.height / 2;
    });
  };
  new MutationObserver(prepare).observe(root, { childList: true, subtree: true });
  prepare();

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
