/** A control process: it only asks for a little CPU again and again, and reports to its parent each time that it came late. */
const tickMs = 5;
/** Lateness below this is that of timers. */
const leastStallMs = 10;

let lastMs = Date.now();
setInterval(() => {
  const nowMs = Date.now();
  if (nowMs - lastMs - tickMs >= leastStallMs) process.send?.({ fromMs: lastMs + tickMs, toMs: nowMs });
  lastMs = nowMs;
}, tickMs);
process.once('disconnect', () => process.exit(0));
