import t from 'tap'
import { SECONDS } from '../../support/long.js'
import { SEED } from '../../support/seed.js'
import { seededRandom } from '../../support/seeded-random.js'
import { withoutRedis } from '../../support/redis-server.js'
import { BROKEN_NODES, testConformance } from './conformance.js'

/** Both checks of one broken node, several at a time. */
const SECONDS_OF_ONE = 10
const FEWEST = 2

const random = seededRandom(SEED)
// A short run does not reach all nodes, so each seed checks others.
const nodes = BROKEN_NODES.map((node) => ({ node, at: random() })).sort((a, b) => a.at - b.at).map(({ node }) => node)
const reached = nodes.slice(0, Math.max(FEWEST, Math.floor(SECONDS / SECONDS_OF_ONE)))

t.comment(`TEST_SEED=${SEED}, ${reached.length} of ${BROKEN_NODES.length} broken nodes`)
t.test('a check of relay nodes – good and broken ones – tells them apart', {
  skip: withoutRedis, timeout: 0, buffered: true
}, async (t) => await testConformance(t, reached, { isAlsoAlone: true }))
