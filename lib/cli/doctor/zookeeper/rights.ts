import { randomId } from '../../../random-id.js'
import { ZooKeeperError } from '../../../zookeeper-client/client.js'
import { createLayout, parentOf } from '../../../registry/zookeeper/layout.js'
import { fault, ok, warning } from '../finding.js'
import type { ZooKeeperClient } from '../../../zookeeper-client/client.js'
import type { Finding } from '../finding.js'

const NOTHING = Buffer.alloc(0)
/** An operator can wait longer than a gateway. */
const PATIENT = { ms: 2000 }
const PAGE = 'see "Permissions" in docs/adapters.md'

/** Whether the credentials may read the paths of the registry, and create znodes below them. Nothing is created. */
export async function checkPaths (
  client: ZooKeeperClient, { chroot, root }: { chroot: string, root: string }
): Promise<Finding[]> {
  if (chroot !== '' && await client.exists(chroot, PATIENT) === undefined) {
    return [fault('rights', `${chroot}, the path after the servers, does not exist`, 'create it')]
  }
  const { nodes, ids, orders } = createLayout(chroot + root)
  const paths = [nodes, ids, orders, `${chroot}${root}/rooms`]
  const isNew = await client.exists(chroot + root, PATIENT) === undefined
  const denied = (await Promise.all(paths.map(async (path) => await deniedAt(client, path)))).flat()
  if (denied.length > 0) {
    return [...new Set(denied)].map((what) => fault('rights', `the credentials may not ${what}`,
      `give gateways, nodes and ZOOKEEPER_AUTH the same credentials; ${PAGE}`))
  }
  if (isNew) {
    return [warning('rights', `${chroot}${root} does not exist: no gateway or node uses it`,
      'are the store and --prefix those of the gateways?')]
  }
  return [ok('rights', `the credentials may read the paths below ${chroot}${root}, and create znodes there`)]
}

/** What may not be done at a path. The nearest path above stands for one that does not exist. */
async function deniedAt (client: ZooKeeperClient, path: string): Promise<string[]> {
  if (await client.exists(path, PATIENT) === undefined) {
    const parent = parentOf(path)
    return await deniedAt(client, parent === '' ? '/' : parent)
  }
  const [mayRead, mayCreate] = await Promise.all([canRead(client, path), canCreate(client, path)])
  return [...mayRead ? [] : [`read ${path}`], ...mayCreate ? [] : [`create below ${path}`]]
}

async function canRead (client: ZooKeeperClient, path: string): Promise<boolean> {
  try {
    await client.children(path, PATIENT)
    return true
  } catch (error) {
    if (error instanceof ZooKeeperError && error.code === 'NO_AUTH') return false
    throw error
  }
}

/** A transaction that creates a znode, and then fails: ZooKeeper checks the right, and undoes the creation. */
async function canCreate (client: ZooKeeperClient, path: string): Promise<boolean> {
  const child = `${path === '/' ? '' : path}/doctor-${randomId()}`
  const failure = await client.multi([
    { type: 'create', path: child, data: NOTHING },
    { type: 'check', path: `${child}/missing` }
  ], PATIENT)
  return failure?.name !== 'NO_AUTH'
}
