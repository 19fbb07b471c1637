const { options } = require('./.dependency-cruiser.cjs');

/** Folders import each other one way, also where only types are meant. Specs and what they share stand beside the code, and may look anywhere. */
module.exports = {
  forbidden: [
    {
      name: 'no-circles-of-folders',
      comment: 'The folders of rocketmq have layers, in .dependency-cruiser.cjs.',
      severity: 'error',
      scope: 'folder',
      from: { path: '^(apps|libs)/', pathNot: '^libs/rocketmq/' },
      to: { circular: true },
    },
  ],
  options: {
    ...options,
    exclude: { path: [...options.exclude.path, '\\.spec\\.ts$', '/testing/', '^libs/testing/'] },
  },
};
