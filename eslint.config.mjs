import js from '@eslint/js';
import tseslint from 'typescript-eslint';
import ts from 'typescript';

const constantValue = [
  'Literal',
  'UnaryExpression',
  'BinaryExpression[left.type="Literal"]',
  'NewExpression[callee.name="Set"]',
  'NewExpression[callee.name="Map"][arguments.length>0]',
  'ArrayExpression',
  'TSAsExpression[expression.type="ArrayExpression"]',
];
const constantOf = (parent) =>
  `${parent} > VariableDeclaration[kind="const"] > VariableDeclarator[id.name=/^(?!connectors$)[a-z]/] > :matches(${constantValue.join(', ')}).init`;

/** What TypeScript lets one write in two ways, and this repository in one. */
const oneDialect = [
  {
    selector: 'PropertyDefinition[accessibility="private"], MethodDefinition[accessibility="private"]:not([kind="constructor"])',
    message: 'Write #name. `private` marks the parameters of constructors only.',
  },
];
const { TypeFlags } = ts;
const CONVERTED_BY_TEMPLATES = TypeFlags.StringLike | TypeFlags.NumberLike | TypeFlags.BooleanLike | TypeFlags.BigIntLike;
const sluice = {
  rules: {
    'plain-templates': {
      create: (context) => ({
        'TemplateLiteral > CallExpression[callee.name="String"]'(node) {
          const type = context.sourceCode.parserServices.getTypeAtLocation(node.arguments[0]);
          const isConverted = (type.isUnion() ? type.types : [type]).every(({ flags }) => flags & CONVERTED_BY_TEMPLATES);
          if (isConverted) context.report({ node, message: 'A template converts this by itself.' });
        },
      }),
    },
  },
};
const constantsInCapitals = ['Program', 'ExportNamedDeclaration'].map((parent) => ({
  selector: constantOf(parent),
  message: 'Write constants of a module in CAPITALS.',
}));

const pureGlobals = ['Date', 'setTimeout', 'setInterval', 'setImmediate', 'process', 'performance', 'crypto', 'fetch'];

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '**/coverage/**', '.sluice/**'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    plugins: { sluice },
    languageOptions: { parserOptions: { project: './tsconfig.test.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // A decoder says by its type parameter what the caller expects of the bytes.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // Nest types its options as classes and takes literals.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-import-type-side-effects': 'error',
      'no-restricted-syntax': ['error', ...oneDialect, ...constantsInCapitals],
      'sluice/plain-templates': 'error',
      'max-lines': ['error', { max: 400 }],
      'no-console': 'error',
    },
  },
  {
    // Nest resolves constructor parameters by their run-time class: a type-only import would leave `Function` behind.
    files: ['apps/**/*.controller.ts', 'apps/**/*.module.ts', 'libs/rpc/**/*.ts', 'libs/node/**/*.ts', 'libs/runner/**/*.ts'],
    rules: { '@typescript-eslint/consistent-type-imports': 'off' },
  },
  {
    files: ['libs/{core,simulation}/src/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-imports': ['error', { patterns: ['node:*', '@nestjs/*'] }],
      'no-restricted-globals': ['error', ...pureGlobals],
    },
  },
  {
    files: ['**/*.spec.ts', 'test/**/*.ts'],
    rules: {
      'max-lines': ['error', { max: 600 }],
      'no-restricted-syntax': ['error', ...oneDialect],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
    },
  },
  {
    files: ['apps/cli/**/*.ts', 'libs/embedded-rocketmq/src/cli.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['**/*.mjs', '**/*.cjs'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'process',
          'console',
          'URL',
          'setTimeout',
          'clearTimeout',
          'setInterval',
          'clearInterval',
          'Buffer',
          'fetch',
          'AbortController',
          'AbortSignal',
          'performance',
          'module',
          'require',
          'globalThis',
        ].map((g) => [g, 'readonly']),
      ),
    },
  },
);
