const STROKE_WIDTH = 22;

/** A canvas to draw on with mouse, pen or finger. The ink is black on nothing. */
export class DrawingPad {
  private readonly context: CanvasRenderingContext2D;
  private pointer: number | null = null;
  private last: { x: number; y: number } | null = null;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    /** Called when the drawing has changed. */
    private readonly changed: () => void,
  ) {
    // Read back after every stroke, so it is better kept where the CPU reaches it.
    this.context = canvas.getContext('2d', { willReadFrequently: true })!;
    canvas.addEventListener('pointerdown', (event) => this.begin(event));
    canvas.addEventListener('pointermove', (event) => this.move(event));
    for (const end of ['pointerup', 'pointercancel'] as const) {
      canvas.addEventListener(end, (event) => {
        if (event.pointerId === this.pointer) this.pointer = null;
      });
    }
  }

  get width(): number {
    return this.canvas.width;
  }

  get height(): number {
    return this.canvas.height;
  }

  clear(): void {
    this.context.clearRect(0, 0, this.width, this.height);
    this.changed();
  }

  /** Replaces the drawing by an image. */
  show(image: CanvasImageSource): void {
    this.context.clearRect(0, 0, this.width, this.height);
    this.context.imageSmoothingQuality = 'high';
    this.context.drawImage(image, 0, 0, this.width, this.height);
    this.changed();
  }

  /** How dark each pixel is: 0..1, row by row. */
  ink(): Float32Array {
    const { data } = this.context.getImageData(0, 0, this.width, this.height);
    return Float32Array.from({ length: this.width * this.height }, (_, i) => data[4 * i + 3]! / 255);
  }

  private begin(event: PointerEvent): void {
    if (this.pointer !== null || event.button !== 0) return;
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    this.pointer = event.pointerId;
    this.last = this.place(event);
    // A line of no length is a dot with round ends.
    this.line(this.last, this.last);
  }

  private move(event: PointerEvent): void {
    if (event.pointerId !== this.pointer || this.last === null) return;
    event.preventDefault();
    // A pen reports more often than the screen is drawn.
    const events = event.getCoalescedEvents?.() ?? [];
    for (const step of events.length > 0 ? events : [event]) {
      const next = this.place(step);
      this.line(this.last, next);
      this.last = next;
    }
  }

  private line(from: { x: number; y: number }, to: { x: number; y: number }): void {
    this.context.lineWidth = STROKE_WIDTH;
    this.context.lineCap = 'round';
    this.context.lineJoin = 'round';
    this.context.strokeStyle = '#000';
    this.context.beginPath();
    this.context.moveTo(from.x, from.y);
    this.context.lineTo(to.x, to.y);
    this.context.stroke();
    this.changed();
  }

  private place(event: PointerEvent): { x: number; y: number } {
    const box = this.canvas.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) / box.width) * this.width,
      y: ((event.clientY - box.top) / box.height) * this.height,
    };
  }
}
