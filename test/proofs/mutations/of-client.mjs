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
    name: 'client: 4403 is retried',
    file: FILE,
    find: '[4403, ',
    replace: '[',
    tests: TESTS
  },
  {
    name: 'client: 4408 is retried forever',
    file: FILE,
    find: "case 'once': return refusals++ === 0 ? 0 : undefined",
    replace: "case 'once': return 0",
    tests: TESTS
  },
  {
    name: 'client: a 404 of a load balancer ends an open call',
    file: FILE,
    find: 'isFirst || ++foreignAnswers === FOREIGN_ANSWERS',
    replace: 'true',
    tests: TESTS
  },
  {
    name: 'client: a 404 of a load balancer is retried forever',
    file: FILE,
    find: 'isFirst || ++foreignAnswers === FOREIGN_ANSWERS',
    replace: 'isFirst',
    tests: TESTS
  },
  {
    name: 'client: a wrong address is retried again and again',
    file: FILE,
    find: 'isFirst || ++foreignAnswers === FOREIGN_ANSWERS',
    replace: '++foreignAnswers === FOREIGN_ANSWERS',
    tests: TESTS
  },
  {
    name: 'client: answers of a load balancer add up over a whole call',
    file: FILE,
    find: "kind !== 'foreign') foreignAnswers = 0",
    replace: "kind !== 'foreign') foreignAnswers += 0",
    tests: TESTS
  },
  {
    name: 'client: a WebSocket that the policy of the page forbids costs the whole timeout',
    file: 'lib/client/socket.ts',
    find: 'if (openedAt === undefined) end(unopened())',
    replace: '',
    tests: ['test/client/faults.test.ts']
  },
  {
    name: 'client: a page that the browser caches keeps its seat',
    file: 'lib/client/page.ts',
    find: 'if (persisted !== true) return',
    replace: 'if (persisted !== undefined) return',
    tests: ['test/client/page.test.ts']
  },
  {
    name: 'client: a page that is shown again keeps waiting',
    file: 'lib/client/page.ts',
    find: "  page.addEventListener?.('pageshow', listener)\n",
    replace: '',
    tests: ['test/client/page.test.ts']
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
    find: 'await ending?.catch(() => {})',
    replace: '',
    tests: ['test/client/release.test.ts']
  }
]
