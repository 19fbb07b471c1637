import { FrameTooLargeError, MalformedDataError } from '../errors.js';

const LENGTH_BYTES = 4;
/** A frame holds at least the int32 with the serialization type and the header length. */
const MIN_FRAME_BYTES = 4;
const HEADER_LENGTH_MASK = 0xff_ff_ff;
const LENT_BYTES = 64 * 1024;
/** Of a frame over the limit; what has a longer one, or another type of header, is no frame of this protocol. */
const MAX_SKIPPED_HEAD_BYTES = 64 * 1024;
const MAX_HEADER_TYPE = 1;
/** A frame that lacks at least this much is read into its own memory at once. */
const DIRECT_BYTES = LENT_BYTES / 2;

/** Takes a frame. A lent one is valid during the call only: the next bytes of the stream overwrite it. */
type OnFrame = (frame: Buffer, isLent: boolean) => void;
/** Takes a frame's header, as `decodeRemotingCommand` takes a frame, and the length of the whole. */
type OnOversized = (head: Buffer, frameBytes: number) => void;

/**
 * Cuts a byte stream into remoting frames (`int32 length | frame`), length excluded. Bytes come as chunks (`push`) or are
 * written into memory that the reader lends (`space`, `filled`). Most of a long frame then goes where it stays.
 * The work is linear in the number of bytes however the stream is cut.
 */
export class FrameReader {
  readonly #maxFrameBytes: number;
  readonly #length = Buffer.alloc(LENGTH_BYTES);
  #lengthFilled = 0;
  #partial: Buffer | undefined;
  #partialFilled = 0;
  /** Length of the frame over the limit whose header `#partial` gathers. */
  #oversized: number | undefined;
  /** Bytes of a frame over the limit that are still to be passed over. */
  #toSkip = 0;
  #lent: Buffer | undefined;
  #isDirect = false;
  #hasFilledSpace = false;

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** Where the next bytes of the stream are to be written. Valid until `filled`. */
  get space(): Buffer {
    const partial = this.#partial;
    this.#isDirect = partial !== undefined && partial.length - this.#partialFilled >= DIRECT_BYTES;
    if (partial !== undefined && this.#isDirect) return partial.subarray(this.#partialFilled);
    this.#lent ??= Buffer.allocUnsafeSlow(LENT_BYTES);
    return this.#lent;
  }

  /** Whether the last bytes filled the whole space: the stream has more of them at hand. */
  get hasFilledSpace(): boolean {
    return this.#hasFilledSpace;
  }

  /** Says that so many bytes were written into `space`. Short frames are lent; errors as for `push`. */
  filled(bytes: number, onFrame: OnFrame, onOversized?: OnOversized): void {
    if (this.#isDirect && this.#partial !== undefined) {
      this.#partialFilled += bytes;
      this.#hasFilledSpace = this.#partialFilled === this.#partial.length;
      this.#endPartial(onFrame, onOversized);
    } else if (this.#lent !== undefined) {
      this.#hasFilledSpace = bytes === this.#lent.length;
      this.#take(this.#lent, bytes, true, onFrame, onOversized);
    }
  }

  /**
   * Takes the next bytes of the stream and calls `onFrame` for each frame that they complete, in order. A frame inside one
   * chunk is a view on it. A frame over the limit is passed over after `onOversized` has got its header.
   * @throws FrameTooLargeError without `onOversized`, MalformedDataError: the stream cannot be read further.
   */
  push(chunk: Buffer, onFrame: OnFrame, onOversized?: OnOversized): void {
    this.#take(chunk, chunk.length, false, onFrame, onOversized);
  }

  #take(chunk: Buffer, end: number, isLent: boolean, onFrame: OnFrame, onOversized: OnOversized | undefined): void {
    let at = 0;
    while (at < end) {
      if (this.#toSkip > 0) {
        const skipped = Math.min(this.#toSkip, end - at);
        this.#toSkip -= skipped;
        at += skipped;
        continue;
      }
      if (this.#partial !== undefined) {
        const copied = chunk.copy(this.#partial, this.#partialFilled, at, end);
        at += copied;
        this.#partialFilled += copied;
        this.#endPartial(onFrame, onOversized);
        continue;
      }
      let length: number;
      if (this.#lengthFilled === 0 && end - at >= LENGTH_BYTES) {
        length = chunk.readInt32BE(at);
        at += LENGTH_BYTES;
      } else {
        const copied = chunk.copy(this.#length, this.#lengthFilled, at, end);
        at += copied;
        this.#lengthFilled += copied;
        if (this.#lengthFilled < LENGTH_BYTES) return;
        this.#lengthFilled = 0;
        length = this.#length.readInt32BE(0);
      }
      if (length < MIN_FRAME_BYTES) throw new MalformedDataError('frame', `length ${length}`);
      if (length > this.#maxFrameBytes) {
        if (onOversized === undefined) throw new FrameTooLargeError(length, this.#maxFrameBytes);
        this.#oversized = length;
        this.#begin(MIN_FRAME_BYTES);
      } else if (end - at >= length) {
        const frame = chunk.subarray(at, at + length);
        at += length;
        onFrame(frame, isLent);
      } else {
        this.#begin(length);
      }
    }
  }

  #begin(bytes: number): void {
    this.#partial = Buffer.allocUnsafe(bytes);
    this.#partialFilled = 0;
  }

  /** Hands the partial frame to the caller once it is whole. */
  #endPartial(onFrame: OnFrame, onOversized: OnOversized | undefined): void {
    const partial = this.#partial;
    if (partial === undefined || this.#partialFilled < partial.length) return;
    if (this.#oversized === undefined) {
      this.#partial = undefined;
      onFrame(partial, false);
      return;
    }
    const mark = partial.readUInt32BE(0);
    const headBytes = MIN_FRAME_BYTES + (mark & HEADER_LENGTH_MASK);
    if (mark >>> 24 > MAX_HEADER_TYPE || headBytes > MAX_SKIPPED_HEAD_BYTES || headBytes > this.#oversized) {
      throw new FrameTooLargeError(this.#oversized, this.#maxFrameBytes);
    }
    if (partial.length < headBytes) {
      this.#begin(headBytes);
      this.#partialFilled = partial.copy(this.#partial ?? partial);
      return;
    }
    const frameBytes = this.#oversized;
    this.#partial = undefined;
    this.#oversized = undefined;
    this.#toSkip = frameBytes - headBytes;
    onOversized?.(partial, frameBytes);
  }
}
