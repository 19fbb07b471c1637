/** A process that dies at a chosen step. Each call outward is two steps: before its effect, and before its answer arrives. */
export class CrashingProcess {
  isAlive = true;
  steps = 0;

  constructor(
    private readonly crashAtStep: number,
    private readonly onStep: (step: number) => void = () => undefined,
  ) {}

  /** Runs `effect` unless the process is dead. `cutOff` happens in its place when the process dies just before it. */
  async call<T>(effect: () => Promise<T>, cutOff?: () => void): Promise<T> {
    if (this.#step()) {
      const result = await effect();
      if (this.#step()) return result;
    } else if (this.steps === this.crashAtStep) {
      this.steps++;
      cutOff?.();
    }
    return new Promise<T>(() => undefined);
  }

  #step(): boolean {
    if (!this.isAlive) return false;
    this.steps++;
    this.onStep(this.steps);
    if (this.steps === this.crashAtStep) this.isAlive = false;
    return this.isAlive;
  }
}
