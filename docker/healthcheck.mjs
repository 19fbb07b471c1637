// Ends with 0 when the role in this container is ready, else with 1 and its answer, which `docker inspect` shows.
const port = process.env['SLUICE_HTTP_PORT'] ?? '8083';
try {
  const answer = await fetch(`http://127.0.0.1:${port}/health/ready`, { signal: AbortSignal.timeout(3500) });
  if (!answer.ok) console.log(await answer.text());
  process.exitCode = answer.ok ? 0 : 1;
} catch (error) {
  console.log(`no answer on port ${port}: ${error.cause?.message ?? error.message}`);
  process.exitCode = 1;
}
