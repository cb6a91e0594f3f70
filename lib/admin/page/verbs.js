// The operations on a node. A further verb is a further entry.
import { api } from './api.js'

export const NODE_VERBS = [
  {
    name: 'cordon',
    label: 'Cordon',
    isPossible: () => true,
    ask: (id) => ({
      title: `Cordon ${id}`,
      text: 'The node gets no new rooms. Its rooms stay.',
      confirm: 'Cordon'
    }),
    run: async (id, { reason }) => await api.giveOrder(id, { kind: 'cordon', reason }),
    done: (id) => `${id} is cordoned.`
  },
  {
    name: 'drain',
    label: 'Drain',
    isPossible: () => true,
    ask: (id) => ({
      title: `Drain ${id}`,
      text: 'The node gets no new rooms. Clients that are left at the deadline get another node.',
      confirm: 'Drain',
      isDrain: true
    }),
    run: async (id, times) => await api.giveOrder(id, { kind: 'drain', ...times }),
    done: (id) => `${id} is draining.`
  },
  {
    name: 'take-back',
    label: 'Take back',
    isPossible: ({ order }) => order !== undefined,
    ask: (id) => ({
      title: `Take back the order for ${id}`,
      text: 'The node gets new rooms again.',
      confirm: 'Take back',
      mayOmitReason: true
    }),
    run: async (id, { reason }) => await api.takeBack(id, reason),
    done: (id) => `The order for ${id} is taken back.`
  }
]
