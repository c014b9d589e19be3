/** The editor takes all the height that the window leaves it, and stands still while Streamlit reruns. */

const LEAST_HEIGHT = 360;

/**
 * @param {HTMLElement} root @param {() => number} gap CSS pixels to leave free beneath
 * @returns {{fit: () => void, stop: () => void}}
 */
export function fitHeight(root, gap) {
  const scope = root.getRootNode();
  const host = scope instanceof ShadowRoot ? /** @type {HTMLElement} */ (scope.host) : root;
  const scroller = scrollerOf(host);

  const fit = () => {
    const top = host.getBoundingClientRect().top + (scroller?.scrollTop ?? scrollY);
    const height = Math.max(LEAST_HEIGHT, Math.floor(innerHeight - top - gap()));
    root.style.height = `${height}px`;
    // Streamlit dims what a running script has not sent again; a film must not flicker.
    const container = /** @type {HTMLElement | null} */ (host.closest("[data-testid=stElementContainer]"));
    container?.style.setProperty("opacity", "1", "important");
  };
  const sizes = new ResizeObserver(fit);
  sizes.observe(host.parentElement ?? host);
  if (scroller?.firstElementChild) sizes.observe(scroller.firstElementChild);
  addEventListener("resize", fit);
  return {
    fit,
    stop() {
      sizes.disconnect();
      removeEventListener("resize", fit);
    },
  };
}

/** @param {HTMLElement} element @returns {HTMLElement | null} */
function scrollerOf(element) {
  for (let up = element.parentElement; up; up = up.parentElement) {
    if (/(auto|scroll)/.test(getComputedStyle(up).overflowY)) return up;
  }
  return null;
}
