import { once } from 'node:events'
import { zookeeper } from '../../lib/zookeeper-client/package.js'
import type { Test } from 'tap'
import type { Acl, Client } from '../../lib/zookeeper-client/package.js'

/** Functions of the package that the registry does not use. */
interface Admin extends Client {
  setACL (path: string, acl: Acl, version: number, callback: (error: Error | null) => void): void
}

const { READ_ACL_UNSAFE } = zookeeper().ACL as ReturnType<typeof zookeeper>['ACL'] & { READ_ACL_UNSAFE: Acl }

/** Connects as a user who decides what others may see or change. */
export async function startAdmin (t: Test, hosts: string) {
  const client = zookeeper().createClient(hosts, { sessionTimeout: 20_000, retries: 0 }) as Admin
  client.addAuthInfo('digest', Buffer.from('admin:secret'))
  client.connect()
  await once(client, 'connected')
  t.teardown(() => client.close())
  const set = async (path: string, acl: Acl) => await new Promise<void>((resolve, reject) => {
    client.setACL(path, acl, -1, (error) => error ? reject(error) : resolve())
  })
  return {
    lock: async (path: string) => await set(path, zookeeper().ACL.CREATOR_ALL_ACL),
    unlock: async (path: string) => await set(path, zookeeper().ACL.OPEN_ACL_UNSAFE),
    /** Takes away the right to change the permissions as well, so there is no way back. */
    makeReadOnly: async (path: string) => await set(path, READ_ACL_UNSAFE)
  }
}
