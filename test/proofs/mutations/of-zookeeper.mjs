const ON_CONTRACT = ['test/registry/zookeeper.test.ts']
const ON_ZOOKEEPER = ['test/proofs/simulation/zookeeper.test.ts']

export const OF_ZOOKEEPER = [
  {
    name: 'a gateway of ZooKeeper with an old view gives a room to a node under an order',
    file: 'lib/registry/zookeeper/assigner.ts',
    find: 'await write(state, binding, ending, { event, checks: orders.check() })',
    replace: 'await write(state, binding, ending, { event })',
    tests: ['test/registry/zookeeper.test.ts']
  },
  {
    name: 'a node of ZooKeeper is chosen though it is gone',
    file: 'lib/registry/zookeeper/commits.ts',
    find: "({ type: 'check', path: layout.nodePath(member) })",
    replace: "({ type: 'check', path: layout.nodes })",
    tests: ON_ZOOKEEPER
  },
  {
    name: 'a claimed room of ZooKeeper is trusted though it changed',
    file: 'lib/registry/zookeeper/assigner.ts',
    find: 'await prove(member, rooms.check(state), ending)\n      if',
    replace: 'await prove(member, [], ending)\n      if',
    tests: ['test/registry/zookeeper/assigner.test.ts']
  },
  {
    name: 'a room of ZooKeeper that was released is prolonged without a write',
    file: 'lib/registry/zookeeper/assigner.ts',
    find: 'if (tries === 0) firstText = state.text',
    replace: 'if (tries === 0) firstText = undefined',
    tests: ['test/registry/zookeeper/assigner.test.ts']
  },
  {
    name: 'a commit of ZooKeeper counts though another one of its turn failed',
    file: 'lib/registry/zookeeper/commits.ts',
    find: ': commitAlone(commit)',
    replace: ": 'done'",
    tests: ['test/registry/zookeeper/commits.test.ts']
  },
  {
    name: 'a node relies on a session that the leader heard of long ago',
    file: 'lib/registry/zookeeper/session-lease.ts',
    find: 'return connectionStart() ?? { monotonic: -Infinity, wall: -Infinity }',
    replace: 'return { monotonic: clock.monotonic() - 1000, wall: clock.wall() - 1000 }',
    tests: ['test/registry/zookeeper/session-lease.test.ts', 'test/proofs/simulation/plans.test.ts']
  },
  {
    name: 'a heartbeat counts for data of another session',
    file: 'lib/registry/zookeeper/node-store.ts',
    find: "if (client.sessionId() !== session) return { outcome: 'lapsed' }\n      const sentAt = momentOf(clock)",
    replace: 'const sentAt = momentOf(clock)',
    also: {
      file: 'lib/registry/zookeeper/node-store.ts',
      find: "if (!Array.isArray(result) || client.sessionId() !== session) return { outcome: 'lapsed' }",
      replace: "if (!Array.isArray(result)) return { outcome: 'lapsed' }"
    },
    tests: ON_ZOOKEEPER
  },
  {
    name: 'ZooKeeper forgets a room after half the linger',
    file: 'lib/registry/zookeeper/sweep.ts',
    find: 'Math.max(REMEMBER_ENDS_MS, lingerMs) : lingerMs) })',
    replace: 'Math.max(REMEMBER_ENDS_MS, lingerMs) : lingerMs / 2) })',
    tests: ON_ZOOKEEPER
  },
  {
    name: 'a node claims on ZooKeeper after its registration is gone',
    file: 'lib/registry/zookeeper/node-store.ts',
    find: "await claimWith([{ type: 'check', path: layout.nodePath(member) }], { member, signal }, claims)",
    replace: 'await claimWith([], { member, signal }, claims)',
    tests: ['test/registry/zookeeper/node-store.test.ts']
  },
  {
    name: 'a room of ZooKeeper that was created again is overwritten',
    file: 'lib/registry/zookeeper/room-records.ts',
    find: 'return { ops: [checkBucket(room), op], text }',
    replace: 'return { ops: [op], text }',
    tests: ['test/registry/zookeeper/room-records.test.ts']
  },
  {
    name: 'a room of ZooKeeper counts as moved while its node has it open',
    file: 'lib/registry/zookeeper/moves.ts',
    find: "const outcome = isAlive && mayBeOpen(binding) ? 'moving' : 'moved'",
    replace: "const outcome = 'moved'",
    tests: ON_CONTRACT
  },
  {
    name: 'a moved room of ZooKeeper is given to another node before its node gave it up',
    file: 'lib/registry/zookeeper/assigner.ts',
    find: "if (typeof outcome === 'object') throw new RegistrySettlingError()",
    replace: "if (typeof outcome === 'object') return 'gone'",
    tests: ON_ZOOKEEPER
  },
  {
    name: 'a node of ZooKeeper takes a moved room back',
    file: 'lib/registry/zookeeper/claims.ts',
    find: "if (date <= endedAt || isMovedFrom(member, binding)) return 'ended'",
    replace: "if (date <= endedAt) return 'ended'",
    tests: ON_ZOOKEEPER
  },
  {
    name: 'a moved room of ZooKeeper returns to its node',
    file: 'lib/registry/zookeeper/assigner.ts',
    find: 'candidates.filter(({ id }) => id !== left && id !== binding.target)',
    replace: 'candidates.filter(({ id }) => id !== binding.target)',
    tests: ON_CONTRACT
  },
  {
    name: 'a moved room of ZooKeeper never returns to its node',
    file: 'lib/registry/zookeeper/move-times.ts',
    find: 'isMove(binding) && since(binding) <= 2 * waitMs()',
    replace: 'isMove(binding)',
    tests: ['test/registry/zookeeper/move-times.test.ts', 'test/proofs/simulation/plans.test.ts']
  }
]
