// npm run bench -- NAME [options]: sets up, then runs a bench on a RocketMQ of its own.
import { setUp } from './setup.mjs';

const benches = {
  client: async (args) => (await import('../test/dist/bench/client.js')).clientBench(args),
  control: async (args) => (await import('../test/dist/bench/control.js')).controlBench(args),
  engine: async (args) => (await import('../test/dist/bench/engine.js')).engineBench(args),
  file: async (args) => (await import('../test/dist/bench/file.js')).fileBench(args),
  isolation: async (args) => (await import('../test/dist/bench/isolation.js')).isolationBench(args),
  replicate: async (args) => (await import('../test/dist/bench/replicate.js')).replicateBench(args),
  rpc: async (args) => (await import('../test/dist/bench/rpc.js')).rpcBench(args),
};

const [name = '', ...args] = process.argv.slice(2);
if (!(name in benches)) {
  console.error(`npm run bench -- NAME, where NAME is one of: ${Object.keys(benches).join(', ')}`);
  process.exit(2);
}
await setUp();
await benches[name](args);
