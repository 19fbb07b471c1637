// until-ready.mjs SECONDS HOST: asks the role on a host whether it is ready until it says so, and prints when that was, in ms since the epoch.
const [seconds = '', host = ''] = process.argv.slice(1);
const deadline = Date.now() + Number(seconds) * 1000;
let last = '';
while (Date.now() < deadline) {
  try {
    const answer = await fetch(`http://${host}:8083/health/ready`, { signal: AbortSignal.timeout(2500) });
    if (answer.ok) {
      console.log(Date.now());
      process.exit(0);
    }
    last = await answer.text();
  } catch (error) {
    last = error.cause?.message ?? error.message;
  }
  await new Promise((resolve) => setTimeout(resolve, 20));
}
console.error(`${host} is not ready within ${seconds} s: ${last}`);
process.exit(1);
