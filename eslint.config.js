import neostandard from 'neostandard'

const SLEEP = 'CallExpression[callee.name=/^(sleep|pause|elapse|setTimeout)$/]'
const ASSERTIONS = 'ok|notOk|equal|not|match|notMatch|has|same|notSame|strictSame|strictNotSame|type'
const ASSERTION = `CallExpression[callee.object.name="t"][callee.property.name=/^(${ASSERTIONS})$/]`

// The loop of a load, not of a wait.
const UNTIL_STOPPED = '[test.argument.property.name=/^(aborted|isStopped)$/]'

/** Tests wait for what can be seen, and no longer than it takes. */
const WAITS = [
  {
    selector: `:matches(WhileStatement, DoWhileStatement):not(${UNTIL_STOPPED}) ${SLEEP}`,
    message: 'A loop around a sleep has no end and says nothing: wait with until() or eventually() of test/support.'
  },
  {
    selector: 'ImportDeclaration[source.value="node:timers/promises"] > ImportSpecifier[imported.name="setTimeout"]',
    message: 'Wait with until() or eventually() of test/support, or with elapse() if nothing shows the end.'
  },
  {
    selector: 'NewExpression[callee.name="Promise"] > ArrowFunctionExpression > CallExpression[callee.name="setTimeout"]',
    message: 'Wait with until() or eventually() of test/support, or with elapse() if nothing shows the end.'
  },
  {
    selector: 'CallExpression[callee.property.name="waitForTimeout"]',
    message: 'Wait with eventually() of test/support for what the page shows, or with elapse() if nothing shows the end.'
  }
]

/** A page shows what a click or a message does a moment later. */
const READS = {
  selector: `${ASSERTION} > AwaitExpression, ${ASSERTION} > :not(:function) AwaitExpression`,
  message: 'A page is read once here, perhaps too early: wait for what it shows with eventually() of test/support.'
}

const IN_CHROMIUM = [
  'test/admin/page.test.ts', 'test/client/chromium*.test.ts', 'test/replayer/*.test.ts',
  'test/recorder/{recorder,private,mask-all}.test.ts', 'test/recorder/*.long.test.ts',
  'test/demo/{basics,masking,replay-*,session*}{,.long}.test.ts', 'test/demo/*-stage.ts'
]

const PAGE_GLOBALS = [
  'window', 'document', 'navigator', 'location', 'history', 'screen', 'localStorage', 'sessionStorage', 'self', 'top',
  'parent', 'frames', 'name', 'status', 'event', 'length', 'origin', 'closed', 'open', 'close', 'stop', 'find', 'focus',
  'blur', 'print', 'alert', 'confirm', 'prompt', 'scroll'
]

export default [
  ...neostandard({ ts: true, ignores: ['dist/**', '.tap/**', 'node_modules/**'] }),
  {
    files: ['**/*.ts'],
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-explicit-any': 'error'
    }
  },
  {
    files: ['test/**/*.ts'],
    // Drivers of load and faults: their time is what a test asks for.
    ignores: ['test/support/{until,elapse}.ts', 'test/support/*-server.ts', 'test/proofs/**'],
    rules: { 'no-restricted-syntax': ['error', ...WAITS] }
  },
  { files: IN_CHROMIUM, rules: { 'no-restricted-syntax': ['error', ...WAITS, READS] } },
  {
    // Tests make the same random choices each time.
    files: ['test/**'],
    ignores: ['test/support/fast-check.ts', 'test/proofs/simulation/**', 'test/registry/zookeeper/sweep.test.ts'],
    rules: {
      'no-restricted-imports': ['error', { name: 'fast-check', message: 'Import test/support/fast-check: it has a seed.' }],
      'no-restricted-properties': ['error', {
        object: 'Math', property: 'random', message: 'Use test/support/seeded-random with SEED of test/support/seed.'
      }]
    }
  },
  {
    // The compiler takes the names of a page for known everywhere, since some folders are for pages.
    files: ['{lib,demo,test,types}/**/*.ts'],
    ignores: ['lib/{client,recorder,replayer}/**', 'types/{recorder,replayer}.tst.ts'],
    rules: { 'no-restricted-globals': ['error', ...PAGE_GLOBALS] }
  },
  {
    // Measured on Node.js 20: about 1 µs and 1 kB of the old generation for each such object.
    files: ['lib/{common,gateway,sessions,signing}/**/*.ts', 'lib/registry/{nodes,redis,zookeeper}/**/*.ts'],
    rules: {
      'no-restricted-syntax': ['error', {
        selector: 'ObjectExpression > SpreadElement:first-child ~ *',
        message: 'V8 makes a hidden class for each object that begins with a spread: put the spread last.'
      }]
    }
  },
  {
    // What a user installs beside the package is what package.json says.
    files: ['lib/**/*.ts'],
    rules: {
      'n/no-extraneous-import': 'error',
      'n/no-unpublished-import': ['error', {
        ignoreTypeImport: true, convertPath: [{ include: ['{lib,types}/**/*.ts'], replace: ['^((lib|types)/.*)\\.ts$', 'dist/$1.js'] }]
      }]
    }
  },
  { rules: { '@stylistic/max-len': ['error', { code: 120, ignoreUrls: true, ignoreStrings: true }] } }
]
