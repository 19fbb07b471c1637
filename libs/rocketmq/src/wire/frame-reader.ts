import { FrameTooLargeError, MalformedDataError } from '../errors.js';

const LENGTH_BYTES = 4;
/** A frame holds at least the int32 with the serialization type and the header length. */
const MIN_FRAME_BYTES = 4;

/**
 * Cuts a byte stream into remoting frames (`int32 length | frame`), length excluded.
 * A frame inside one chunk is a view on that chunk; one that spans chunks is copied once into a buffer of its own,
 * so the work is linear in the number of bytes whatever the chunk sizes.
 */
export class FrameReader {
  readonly #maxFrameBytes: number;
  readonly #length = Buffer.alloc(LENGTH_BYTES);
  #lengthFilled = 0;
  #partial: Buffer | undefined;
  #partialFilled = 0;

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /**
   * Takes the next bytes of the stream and calls `onFrame` for each frame that they complete, in order.
   * @throws FrameTooLargeError, MalformedDataError: the stream cannot be read further.
   */
  push(chunk: Buffer, onFrame: (frame: Buffer) => void): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#partial !== undefined) {
        const copied = chunk.copy(this.#partial, this.#partialFilled, at);
        at += copied;
        this.#partialFilled += copied;
        if (this.#partialFilled < this.#partial.length) return;
        const frame = this.#partial;
        this.#partial = undefined;
        onFrame(frame);
        continue;
      }
      let length: number;
      if (this.#lengthFilled === 0 && chunk.length - at >= LENGTH_BYTES) {
        length = chunk.readInt32BE(at);
        at += LENGTH_BYTES;
      } else {
        const copied = chunk.copy(this.#length, this.#lengthFilled, at);
        at += copied;
        this.#lengthFilled += copied;
        if (this.#lengthFilled < LENGTH_BYTES) return;
        this.#lengthFilled = 0;
        length = this.#length.readInt32BE(0);
      }
      this.#checkLength(length);
      if (chunk.length - at >= length) {
        const frame = chunk.subarray(at, at + length);
        at += length;
        onFrame(frame);
      } else {
        this.#partial = Buffer.allocUnsafe(length);
        this.#partialFilled = chunk.copy(this.#partial, 0, at);
        return;
      }
    }
  }

  #checkLength(length: number): void {
    if (length > this.#maxFrameBytes) throw new FrameTooLargeError(length, this.#maxFrameBytes);
    if (length < MIN_FRAME_BYTES) throw new MalformedDataError('frame', `length ${String(length)}`);
  }
}
