import { notChecked, ok, warning } from '../finding.js'
import type { ZooKeeperClient } from '../../../zookeeper-client/client.js'
import type { Finding } from '../finding.js'

const CONFIG = '/zookeeper/config'
const ASK_MS = 2000
const FIX = 'use three servers, or another odd number'

/** Reads how many servers vote. */
export async function checkEnsemble (client: ZooKeeperClient): Promise<Finding> {
  const found = await client.get(CONFIG, { ms: ASK_MS })
  if (found === undefined) return notChecked('ensemble', 'its configuration cannot be read')
  const voters = found.data.toString().split('\n').filter((line) => /^server\.\d+=.*:participant\b/.test(line)).length
  if (voters <= 1) {
    return warning('ensemble', 'one server alone: while it restarts, no call gets a room', FIX)
  }
  const text = `${voters} servers vote, and ${Math.floor((voters - 1) / 2)} of them may fail`
  return voters === 2 ? warning('ensemble', text, FIX) : ok('ensemble', text)
}
