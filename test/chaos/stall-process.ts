/** A control process: it only asks for a little CPU again and again, and reports to its parent each time that it came late. */
const TICK_MS = 5;
/** Lateness below this is that of timers. */
const LEAST_STALL_MS = 10;

let lastMs = Date.now();
setInterval(() => {
  const nowMs = Date.now();
  if (nowMs - lastMs - TICK_MS >= LEAST_STALL_MS) process.send?.({ fromMs: lastMs + TICK_MS, toMs: nowMs });
  lastMs = nowMs;
}, TICK_MS);
process.once('disconnect', () => process.exit(0));
