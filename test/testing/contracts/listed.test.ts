import t from 'tap'
import { listedContract } from '../../../lib/testing/index.js'
import { createListedStore, listedMemoryRegistry } from './listed-memory.js'
import { testBreakages } from './test-breakages.js'
import type { Assignment, Registry } from '../../../types/index.js'

const onAnswers = (change: (answer: Assignment) => Assignment) => ({ assign }: Registry): Partial<Registry> => ({
  assign: async (...args) => change(await assign(...args))
})

testBreakages<Registry>(t, {
  run: async (options, breakIt) => await listedContract({ ...options, slack: 200 }, ({ linger }) => {
    const store = createListedStore()
    const another = () => {
      const registry = listedMemoryRegistry(store, linger)
      return { ...registry, ...breakIt(registry) }
    }
    return {
      registry: another(),
      another,
      list: async (id, wssUrl) => { store.records.set(id, wssUrl) },
      spoil: async (id, secret) => { store.records.set(id, `no address: ${secret}`) },
      unlist: async (id) => { store.records.delete(id) }
    }
  }),
  breakages: {
    'names an incarnation': {
      breakIt: onAnswers((answer) => ({ ...answer, node: { ...answer.node, incarnation: 'x' } })),
      broken: ['assign – a listed node – is named as it is listed, with the incarnation "-"'],
      instead: /incarnation: 'x'.*expected .*incarnation: '-'/
    },
    'quotes a record': {
      breakIt: ({ start }) => ({
        start (context) {
          context.log.warn('ignored: no address: secret-words')
          start(context)
        }
      }),
      broken: ['log – a record that cannot be read – is not quoted'],
      instead: /secret-words/
    },
    'is silent about a record that it cannot read': {
      patience: 3000,
      breakIt: ({ start }) => ({
        start (context) {
          context.log.warn = () => {}
          start(context)
        }
      }),
      broken: [
        'assign – the record of another node cannot be read – names the nodes that can be',
        'assign – a bound room whose record cannot be read any more – has the last good address',
        'log – a record that cannot be read – is warned of, with the id of its node'
      ],
      instead: /after waiting 3000 ms until a warning names n2/
    },
    'shows a thousand nodes at most': {
      patience: 3000,
      breakIt: ({ nodes }) => ({ nodes: () => nodes().slice(0, 1000) }),
      broken: ['nodes – many are listed – shows all of them']
    },
    'registers a node of its own': {
      // A program without types may return anything.
      breakIt: () => ({ join: async () => await Promise.reject(new Error('read-only')) }),
      broken: ['join – nodes that something else lists – rejects with a TypeError'],
      instead: /rejected with Error: read-only/
    },
    'chooses in each gateway by itself': {
      breakIt ({ assign }) {
        const tenant = `t${Math.trunc(performance.now() * 1000)}`
        return { assign: async (room, options) => await assign({ tenant, room: room.room }, options) }
      },
      broken: ['assign – several gateways ask for one room – all get one node'],
      instead: /nodes of one room: \[ 'n\d', 'n\d'/
    }
  }
})
