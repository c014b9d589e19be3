/**
 * Where a film lies in its pane. Screen units are CSS pixels from the pane's upper left corner:
 * screen = image * scale + offset.
 *
 * @typedef {{fit: boolean, zoom: number, centreX: number, centreY: number}} ZoomMode
 *   zoom relative to fit; centre as shares of the film: what is kept when the next study opens
 */

const MOST_ZOOM = 64;

export class Viewport {
  /** @param {number} imageWidth @param {number} imageHeight */
  constructor(imageWidth, imageHeight) {
    this.imageWidth = imageWidth;
    this.imageHeight = imageHeight;
    this.width = 1;
    this.height = 1;
    this.scale = 1;
    this.offsetX = 0;
    this.offsetY = 0;
    this.isFit = true;
  }

  /** @returns {number} the scale at which the whole film is seen */
  fitScale() {
    return Math.min(this.width / this.imageWidth, this.height / this.imageHeight);
  }

  fit() {
    this.isFit = true;
    this.scale = this.fitScale();
    this.offsetX = (this.width - this.imageWidth * this.scale) / 2;
    this.offsetY = (this.height - this.imageHeight * this.scale) / 2;
  }

  /**
   * Keep what is in the middle in the middle.
   * @param {number} width @param {number} height @param {ZoomMode} [mode] otherwise the present one
   */
  resize(width, height, mode = this.mode()) {
    this.width = Math.max(1, width);
    this.height = Math.max(1, height);
    this.restore(mode);
  }

  /** @returns {ZoomMode} */
  mode() {
    const centre = this.toImage(this.width / 2, this.height / 2);
    return {
      fit: this.isFit,
      zoom: this.scale / this.fitScale(),
      centreX: centre.x / this.imageWidth,
      centreY: centre.y / this.imageHeight,
    };
  }

  /** @param {ZoomMode} mode */
  restore(mode) {
    if (mode.fit) {
      this.fit();
      return;
    }
    this.isFit = false;
    this.scale = this.fitScale() * mode.zoom;
    this.offsetX = this.width / 2 - mode.centreX * this.imageWidth * this.scale;
    this.offsetY = this.height / 2 - mode.centreY * this.imageHeight * this.scale;
    this.keepInSight();
  }

  /** Zoom so that the image point under (x, y) stays there. @param {number} x @param {number} y @param {number} factor */
  zoomAt(x, y, factor) {
    const before = this.toImage(x, y);
    const least = Math.min(0.02, this.fitScale() / 2);
    this.scale = Math.min(MOST_ZOOM, Math.max(least, this.scale * factor));
    this.offsetX = x - before.x * this.scale;
    this.offsetY = y - before.y * this.scale;
    this.isFit = false;
    this.keepInSight();
  }

  /** @param {number} dx @param {number} dy */
  pan(dx, dy) {
    this.offsetX += dx;
    this.offsetY += dy;
    this.isFit = false;
    this.keepInSight();
  }

  /** A film can be pushed aside but not out of its pane. */
  keepInSight() {
    const margin = 48;
    const width = this.imageWidth * this.scale;
    const height = this.imageHeight * this.scale;
    this.offsetX = Math.min(this.width - margin, Math.max(margin - width, this.offsetX));
    this.offsetY = Math.min(this.height - margin, Math.max(margin - height, this.offsetY));
  }

  /** @param {number} x @param {number} y @returns {import("./masks.js").Point} image pixels, not clipped */
  toImage(x, y) {
    return { x: (x - this.offsetX) / this.scale, y: (y - this.offsetY) / this.scale };
  }

  /** @returns {import("./masks.js").Rect} whole image pixels that are seen, clipped to the film */
  shown() {
    const from = this.toImage(0, 0);
    const to = this.toImage(this.width, this.height);
    return {
      left: Math.max(0, Math.floor(from.x)),
      top: Math.max(0, Math.floor(from.y)),
      right: Math.min(this.imageWidth, Math.ceil(to.x)),
      bottom: Math.min(this.imageHeight, Math.ceil(to.y)),
    };
  }
}
