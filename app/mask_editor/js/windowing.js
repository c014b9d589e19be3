/**
 * From stored pixels to grey on the screen. Windows act on the stored 8 to 16 bits through a lookup table, so a narrow
 * window of a 16-bit film shows every stored step.
 *
 * @typedef {{name: string, center: number, width: number}} GreyWindow in stored pixel values
 * @typedef {{width: number, height: number, pixels: Uint8Array | Uint16Array}} Level one size of the film
 */

const TILE = 512;

/**
 * Grey for every stored value: the linear VOI function of DICOM PS3.3 C.11.2.1.2.1.
 * @param {number} center @param {number} width at least 1 @param {boolean} inverted
 * @param {number} values how many stored values there are @returns {Uint8Array} grey 0..255
 */
export function windowTable(center, width, inverted, values) {
  const table = new Uint8Array(values);
  const span = Math.max(1, width - 1);
  for (let value = 0; value < values; value++) {
    const part = Math.min(1, Math.max(0, (value - (center - 0.5)) / span + 0.5));
    const grey = Math.round(part * 255);
    table[value] = inverted ? 255 - grey : grey;
  }
  return table;
}

/**
 * Windows that every film offers beside those that came with it: full range, and the middle of its own histogram.
 * @param {Uint8Array | Uint16Array} pixels @param {number} values @returns {GreyWindow[]}
 */
export function windowsFromHistogram(pixels, values) {
  const histogram = new Uint32Array(values);
  const stride = Math.max(1, Math.floor(pixels.length / 500000));
  let counted = 0;
  for (let i = 0; i < pixels.length; i += stride) {
    histogram[pixels[i]]++;
    counted++;
  }
  /** @param {number} share */
  const quantile = (share) => {
    let seen = 0;
    for (let value = 0; value < values; value++) {
      seen += histogram[value];
      if (seen >= share * counted) return value;
    }
    return values - 1;
  };
  /** @param {string} name @param {number} low @param {number} high */
  const between = (name, low, high) => ({ name, center: (low + high + 1) / 2, width: Math.max(2, high - low + 1) });
  return [
    between("Auto", quantile(0.01), quantile(0.99)),
    between("Full range", quantile(0), quantile(1)),
    between("Lungs", quantile(0.02), quantile(0.6)),
    between("Bone", quantile(0.4), quantile(0.995)),
  ];
}

/**
 * A film: its stored pixels at full size and halved again and again, each size windowed tile by tile when it is shown.
 * Halving before windowing keeps a zoomed-out film smooth and makes dragging the window cost what the screen shows.
 */
export class Film {
  /**
   * @param {number} width @param {number} height @param {number} bits stored bits, 8..16
   * @param {Uint8Array | Uint16Array} pixels row by row
   */
  constructor(width, height, bits, pixels) {
    this.width = width;
    this.height = height;
    this.values = 2 ** bits;
    /** @type {Level[]} */
    this.levels = [{ width, height, pixels }];
    /** @type {{canvas: HTMLCanvasElement, context: CanvasRenderingContext2D, drawn: Int32Array}[]} */
    this.screens = [];
    this.table = new Uint32Array(this.values);
    this.round = 0;
    this.setWindow(this.values / 2, this.values, false);
  }

  /** @param {number} center @param {number} width @param {boolean} inverted */
  setWindow(center, width, inverted) {
    const grey = windowTable(center, width, inverted, this.values);
    for (let value = 0; value < this.values; value++) this.table[value] = 0xff000000 | (grey[value] * 0x010101);
    this.round++;
  }

  /**
   * Draw the part of the film inside `shown` with the context's image-to-screen transform already set.
   * @param {CanvasRenderingContext2D} context @param {import("./masks.js").Rect} shown in image pixels
   * @param {number} scale device pixels to an image pixel
   */
  draw(context, shown, scale) {
    let depth = 0;
    while (scale * 2 ** (depth + 1) <= 1 && this.level(depth).width > TILE) depth++;
    const level = this.level(depth);
    const screen = this.screen(depth);
    const shrink = 2 ** depth;
    const columns = Math.ceil(level.width / TILE);
    for (let ty = Math.floor(shown.top / shrink / TILE); ty * TILE * shrink < shown.bottom; ty++) {
      for (let tx = Math.floor(shown.left / shrink / TILE); tx * TILE * shrink < shown.right; tx++) {
        const tile = ty * columns + tx;
        if (tx >= columns || ty * TILE >= level.height || screen.drawn[tile] === this.round) continue;
        this.paintTile(level, screen.context, tx * TILE, ty * TILE);
        screen.drawn[tile] = this.round;
      }
    }
    context.imageSmoothingEnabled = scale < 6;
    context.imageSmoothingQuality = "medium";
    context.drawImage(screen.canvas, 0, 0, level.width * shrink, level.height * shrink);
  }

  /** @param {number} depth @returns {Level} the film halved `depth` times */
  level(depth) {
    while (this.levels.length <= depth) this.levels.push(halve(this.levels[this.levels.length - 1]));
    return this.levels[depth];
  }

  /** @param {number} depth */
  screen(depth) {
    if (!this.screens[depth]) {
      const { width, height } = this.level(depth);
      const canvas = document.createElement("canvas");
      canvas.width = width;
      canvas.height = height;
      const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
      const drawn = new Int32Array(Math.ceil(width / TILE) * Math.ceil(height / TILE)).fill(-1);
      this.screens[depth] = { canvas, context, drawn };
    }
    return this.screens[depth];
  }

  /** @param {Level} level @param {CanvasRenderingContext2D} context @param {number} left @param {number} top */
  paintTile(level, context, left, top) {
    const columns = Math.min(TILE, level.width - left);
    const rows = Math.min(TILE, level.height - top);
    const image = context.createImageData(columns, rows);
    const out = new Uint32Array(image.data.buffer);
    const { pixels } = level;
    const { table } = this;
    for (let y = 0, o = 0; y < rows; y++) {
      let i = (top + y) * level.width + left;
      for (const end = i + columns; i < end; i++) out[o++] = table[pixels[i]];
    }
    context.putImageData(image, left, top);
  }
}

/** @param {Level} level @returns {Level} half the size, each pixel the mean of its 2 x 2; an odd last line repeats */
function halve(level) {
  const width = Math.ceil(level.width / 2);
  const height = Math.ceil(level.height / 2);
  const source = level.pixels;
  const pixels = source instanceof Uint16Array ? new Uint16Array(width * height) : new Uint8Array(width * height);
  for (let y = 0, o = 0; y < height; y++) {
    const upper = 2 * y * level.width;
    const lower = Math.min(2 * y + 1, level.height - 1) * level.width;
    for (let x = 0; x < width; x++) {
      const a = 2 * x;
      const b = Math.min(a + 1, level.width - 1);
      pixels[o++] = (source[upper + a] + source[upper + b] + source[lower + a] + source[lower + b] + 2) >> 2;
    }
  }
  return { width, height, pixels };
}
