/** The dependency table of ARCHITECTURE.md, enforced. `not` lists what a package must never import. */
const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: `^${from}/`, pathNot: '\\.spec\\.ts$' },
  to: { path: '^(apps|libs|test)/', pathNot: [`^${from}/`, ...allowed.map((a) => `^libs/${a}/`)] },
});

/** Folders of one package, the lowest first: each imports those before it, also where only types are meant. */
const layers = (packagePath, folders, shared) =>
  folders.map(({ name, over }) => ({
    name: `${packagePath.split('/').at(-1)}-${name}`,
    severity: 'error',
    from: { path: `^${packagePath}/src/${name}/`, pathNot: '\\.spec\\.ts$' },
    to: {
      path: `^${packagePath}/src/`,
      pathNot: [name, ...over].map((folder) => `^${packagePath}/src/${folder}/`).concat(shared),
    },
  }));

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, pathNot: ['\\.spec\\.ts$', '\\.d\\.ts$', '/main\\.ts$', '/index\\.ts$', '^test/'] },
      to: {},
    },
    only('sdk-imports-nothing', 'libs/sdk', []),
    {
      name: 'sdk-files-are-a-subpath',
      comment: 'Locks and durable files are @sluice/sdk/files: few connectors need them.',
      severity: 'error',
      from: { path: '^libs/sdk/src/', pathNot: '^libs/sdk/src/files/' },
      to: { path: '^libs/sdk/src/files/' },
    },
    only('time-imports-nothing', 'libs/time', []),
    only('verification-imports-nothing', 'libs/verification', []),
    only('rocketmq-imports-time', 'libs/rocketmq', ['time']),
    ...layers(
      'libs/rocketmq',
      [
        { name: 'wire', over: [] },
        { name: 'connection', over: ['wire'] },
        { name: 'routing', over: ['wire', 'connection'] },
        { name: 'produce', over: ['wire', 'connection', 'routing'] },
        { name: 'consume', over: ['wire', 'connection', 'routing'] },
        { name: 'admin', over: ['wire', 'connection', 'routing'] },
      ],
      ['^libs/rocketmq/src/errors\\.ts$'],
    ),
    {
      name: 'rocketmq-no-circle-of-types',
      severity: 'error',
      from: { path: '^libs/rocketmq/src/' },
      to: { circular: true },
    },
    only('embedded-rocketmq-imports-nothing', 'libs/embedded-rocketmq', []),
    only('core-imports-nothing', 'libs/core', []),
    only('simulation-imports-core', 'libs/simulation', ['core']),
    only('protocol-imports-sdk', 'libs/protocol', ['sdk']),
    only('transforms-imports-sdk', 'libs/transforms', ['sdk']),
    only('converters-imports-sdk', 'libs/converters', ['sdk']),
    only('runtime-imports', 'libs/runtime', ['time', 'sdk', 'core', 'protocol', 'transforms', 'converters']),
    only('replication-imports', 'libs/replication', ['sdk', 'protocol']),
    only('testing-imports', 'libs/testing', ['sdk']),
    only('rpc-imports', 'libs/rpc', ['time', 'rocketmq']),
    only('node-imports', 'libs/node', ['time', 'sdk', 'core', 'protocol', 'rocketmq', 'rpc']),
    only('runner-imports', 'libs/runner', ['time', 'sdk', 'core', 'protocol', 'rocketmq', 'runtime', 'rpc', 'node']),
    {
      name: 'connectors-import-sdk',
      severity: 'error',
      from: { path: '^libs/connectors/([^/]+)/', pathNot: '\\.spec\\.ts$' },
      to: {
        path: '^(apps|libs|test)/',
        pathNot: ['^libs/connectors/$1/', '^libs/(sdk|time|verification|rocketmq|replication|transforms)/'],
      },
    },
    {
      name: 'apps-never-import-apps',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^(apps|test)/', pathNot: '^apps/$1/' },
    },
    {
      name: 'testing-only-in-tests',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: ['^libs/testing/', '\\.spec\\.ts$', '/test/'] },
      to: { path: '^libs/testing/' },
    },
    {
      name: 'test-support-only-in-tests',
      comment: 'The folder src/testing of a package holds what its specs share; builds leave it out.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: ['\\.spec\\.ts$', '/src/testing/'] },
      to: { path: '/src/testing/' },
    },
    {
      name: 'simulation-only-in-tests',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: ['^libs/simulation/'] },
      to: { path: '^libs/simulation/' },
    },
    {
      name: 'nest-only-at-the-edges',
      severity: 'error',
      from: { path: '^libs/', pathNot: '^libs/(rpc|node|runner)/' },
      to: { path: 'node_modules/@nestjs' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['/dist/', '/node_modules/'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.test.json' },
    enhancedResolveOptions: {
      conditionNames: ['sluice-source', 'import', 'node', 'default'],
      exportsFields: ['exports'],
    },
  },
};
