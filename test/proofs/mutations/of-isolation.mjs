/** Breakages of isolation: one bad token, room, record, tenant or function of the host costs its own requests only. */
export const OF_ISOLATION = [
  {
    name: 'a token that was valid once is valid for ever',
    file: 'lib/sessions/redis.ts',
    find: 'const session = known ?? readToken(token)',
    replace: 'if (known !== undefined) return known\n      const session = readToken(token)',
    tests: ['test/sessions/redis.test.ts']
  },
  {
    name: 'the breaker counts an answer about one room or token',
    file: 'lib/gateway/dependency.ts',
    find: 'return isAnswered(error) || (',
    replace: 'return (',
    tests: ['test/gateway/isolation.test.ts', 'test/sessions/redis.test.ts']
  },
  {
    name: 'a caller that left counts as an answer of the dependency, or as its failure',
    file: 'lib/gateway/dependency.ts',
    find: 'if (error instanceof CallerGoneError) return',
    replace: '',
    tests: ['test/gateway/dependency.test.ts']
  },
  {
    name: 'a decode that hangs is blamed on the token store',
    file: 'lib/gateway/dependency.ts',
    find: 'return isAnswered(why) ? why : error',
    replace: 'return error',
    tests: ['test/sessions/redis.test.ts']
  },
  {
    name: 'a custom choice may return a promise that rejects',
    file: 'lib/gateway/select-node.ts',
    find: "refusePromise(chosen, '\"selectNode\"')",
    replace: '',
    tests: ['test/gateway/isolation.test.ts']
  },
  {
    name: 'an unreadable room on ZooKeeper counts as an unavailable store',
    file: 'lib/registry/zookeeper/binding.ts',
    find: 'throw new UnreadableBindingError()',
    replace: "throw new TypeError('unreadable')",
    tests: ['test/gateway/isolation.test.ts']
  },
  {
    name: 'the log quotes messages of the host',
    file: 'lib/common/reason.ts',
    find: 'isCatalogued(error) || error instanceof ReasonError ?',
    replace: 'true ?',
    tests: ['test/gateway/log-and-metrics.test.ts', 'test/sessions/redis.test.ts']
  },
  {
    name: 'a full memory drops the least recently used entry of any tenant',
    file: 'lib/common/tenant-cache.ts',
    find: 'own !== undefined && own.order.size >= equalShare ? tenant : ownerOfLargeShare(equalShare)',
    replace: "[...shares.keys()][0] ?? ''",
    tests: ['test/common/tenant-cache.test.ts']
  },
  {
    name: 'a user whose request fails counts each time',
    file: 'lib/provision/http/rests.ts',
    find: 'rowOf(tenant).add(path)',
    replace: 'rowOf(tenant).add(String(Math.random()))',
    tests: ['test/provision/http/isolation.test.ts']
  },
  {
    name: 'a tenant whose requests fail closes the backend for all',
    file: 'lib/provision/http/rests.ts',
    find: 'all.add(tenant)',
    replace: 'all.add(path)',
    tests: ['test/provision/http/isolation.test.ts']
  }
]
