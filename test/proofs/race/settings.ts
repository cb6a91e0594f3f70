/** Settings of all processes of a race. The parent passes them to each. */
export interface Settings {
  /** Milliseconds; on ZooKeeper, the session timeout. */
  lease: number
  /** Milliseconds. */
  heartbeat: number
  /** Milliseconds. */
  patience: number
  /** Seconds. */
  linger: number
  signing: { keys: Array<{ id: string, secret: string }>, ttl: number, skew: number }
  path: string
  releasePath: string
  /** Rooms that one driver plays at once. */
  roomsAtOnce: number
  /** Share of the requests after which an operator moves the room. */
  moveShare: number
  /** Rooms of one driver that last as long as the race. */
  longRooms: number
}

const SETTINGS: Settings = {
  lease: 1500,
  heartbeat: 300,
  patience: 500,
  linger: 4,
  signing: { keys: [{ id: 'race', secret: 'a secret of the race, long enough' }], ttl: 3, skew: 1 },
  path: '/getConnectionInfo',
  releasePath: '/releaseConnection',
  roomsAtOnce: 100,
  moveShare: 0.2,
  longRooms: 12
}

/** Three Java servers load the machine more, and a session is kept by answers of two of them. */
const SETTINGS_ON_ZOOKEEPER: Settings = { ...SETTINGS, lease: 2400, heartbeat: 800 }

export const settingsOn = (kind: 'redis' | 'zookeeper') => kind === 'redis' ? SETTINGS : SETTINGS_ON_ZOOKEEPER

/** Time in which a store that lost its memory assigns no room again. */
export const settlingOf = ({ lease, heartbeat, linger }: Settings) => Math.max(lease, linger * 1000) + 2 * heartbeat
