const FILE = 'lib/client/retry-rules.ts'
const TESTS = ['test/client/retry-rules.test.ts']

export const OF_CLIENT = [
  {
    name: 'client: waits do not grow',
    file: FILE,
    find: 'minWait * 2 ** Math.min(waits++, 30)',
    replace: 'minWait',
    tests: TESTS
  },
  {
    name: 'client: waits are not jittered, so that all clients return at once',
    file: FILE,
    find: 'longest * (0.5 + random() / 2)',
    replace: 'longest',
    tests: TESTS
  },
  {
    name: 'client: Retry-After is not honoured',
    file: FILE,
    find: '(error.retryAfter ?? 0) + backOff()',
    replace: 'backOff()',
    tests: TESTS
  },
  {
    name: 'client: a node that drains does not spread the return of its clients',
    file: FILE,
    find: 'random() * (error.returnWithin ?? 0)',
    replace: '0',
    tests: TESTS
  },
  {
    name: 'client: 4410 is followed in a circle, without a wait',
    file: FILE,
    find: 'moves++ === 0 ? 0 : backOff()',
    replace: '0',
    tests: TESTS
  },
  {
    name: 'client: 4403 is asked again',
    file: FILE,
    find: "case 4403: return 'stop'",
    replace: "case 4403: return 'transient'",
    tests: TESTS
  },
  {
    name: 'client: 4408 is asked again for ever',
    file: FILE,
    find: "case 'once': return refusals++ === 0 ? 0 : undefined",
    replace: "case 'once': return 0",
    tests: TESTS
  },
  {
    name: 'client: the other address is never tried',
    file: 'lib/client/addresses.ts',
    find: "chosen = chosen === 'wssUrl' ? 'wssUrlOut' : 'wssUrl'",
    replace: '',
    tests: ['test/client/connect.test.ts']
  },
  {
    name: 'client: the end of a call is followed while it is being asked for',
    file: 'lib/client/connect.ts',
    find: 'await releasing?.catch(() => {})',
    replace: '',
    tests: ['test/client/release.test.ts']
  }
]
