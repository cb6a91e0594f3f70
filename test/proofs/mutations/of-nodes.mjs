/** Breakages of relay nodes and of the check of signatures. */
export const OF_NODES = [
  {
    name: 'a lapsed node admits to its rooms',
    file: 'lib/node/admission.ts',
    find: 'if (membership().holds({ tenant, room })) return take(claims)',
    replace: 'return take(claims)',
    tests: ['test/node/admission.test.ts']
  },
  {
    name: 'a lapse disconnects all clients',
    file: 'lib/node/node.ts',
    find: 'rooms.suspend()',
    replace: 'rooms.closeAll(LEFT)',
    tests: ['test/node/doors.test.ts']
  },
  {
    name: 'a client alone behind a shut door waits forever',
    file: 'lib/node/room.ts',
    find: 'if (seats.size > 0 && !isTogether(seats)) patience.start()',
    replace: 'if (false) patience.start()',
    tests: ['test/node/doors.test.ts']
  },
  {
    name: 'a join-only signature opens a room',
    file: 'lib/node/admission.ts',
    find: 'if (!rooms.isOpen(claims)) throw',
    replace: 'if (false) throw',
    tests: ['test/node/signatures.test.ts']
  },
  {
    name: 'a join-only signature admits to each process of a node',
    file: 'lib/node/admission.ts',
    find: 'if (isFromEarlierProcess(claims)) throw',
    replace: 'if (false) throw',
    tests: ['test/node/signatures.test.ts']
  },
  {
    name: 'a signature admits twice',
    file: 'lib/node/used-signatures.ts',
    find: 'const isUsed = (id: string, end: number) => ids.has(id) || past.has(id, end)',
    replace: 'const isUsed = (id: string, end: number) => past.has(id, end)',
    tests: ['test/node/signatures.test.ts']
  },
  {
    name: 'a clock that was set back makes a used signature valid again',
    file: 'lib/node/used-signatures.ts',
    find: 'const isUsed = (id: string, end: number) => ids.has(id) || past.has(id, end)',
    replace: 'const isUsed = (id: string, _end: number) => ids.has(id)',
    tests: ['test/node/used-signatures.test.ts']
  },
  {
    name: 'a clock that was set back closes the node until the clock has caught up',
    file: 'lib/node/past-signatures.ts',
    find: 'end <= latestEnd && (end <= pushedOutUntil || prints.includes(printOf(id)))',
    replace: 'end <= latestEnd',
    tests: ['test/node/used-signatures.test.ts']
  },
  {
    name: 'the role is left out of the signature',
    file: 'lib/signing/issue.ts',
    find: '      name,\n      role,\n      iat,',
    replace: "      name,\n      role: 'recorder',\n      iat,",
    tests: ['test/signing/verify.test.ts']
  },
  {
    name: 'a rotation of keys is not noticed',
    file: 'lib/signing/issue.ts',
    find: 'if (key !== signer.key) signer = createSigner(key)',
    replace: '',
    tests: ['test/system/key-rotation.test.ts']
  },
  {
    name: 'keys that cannot be used replace the last good ones',
    file: 'lib/signing/key-ring.ts',
    find: '      // A message of readKeys holds no value.\n',
    replace: '      keys = []\n',
    tests: ['test/signing/key-ring.test.ts']
  },
  {
    name: 'each signature with an unknown key makes the set of keys be read',
    file: 'lib/signing/jwks.ts',
    find: 'if (now() >= restsUntil) await',
    replace: 'await',
    tests: ['test/signing/jwks.test.ts']
  },
  {
    name: 'exp is not checked',
    file: 'lib/signing/verify.ts',
    find: 'clockTolerance: skew,',
    replace: 'clockTolerance: 1e9,',
    tests: ['test/signing/verify.test.ts']
  },
  {
    name: 'aud is not checked',
    file: 'lib/signing/verify.ts',
    find: 'audience: audienceOf(node, joinOnly),',
    replace: '',
    tests: ['test/signing/verify.test.ts']
  },
  {
    name: 'an answer from memory is a normal signature',
    file: 'lib/gateway/connection-info.ts',
    find: 'issuedAt, joinOnly, ...room })',
    replace: 'issuedAt, ...room })',
    tests: ['test/gateway/join-only.test.ts']
  },
  {
    name: 'an old choice is signed',
    file: 'lib/gateway/connection-info.ts',
    find: 'if (context.budget.isPassed()) throw new RegistryUnavailableError()',
    replace: '',
    tests: ['test/gateway/budget.test.ts']
  }
]
