import { changing, isAnswer } from './changes.js'
import type { BrokenNode, Defect } from '../start-node.js'

/** Place of the order in the answers to registrations and heartbeats. */
const ORDER = 5

/** Changes each order that the node hears; '' is none. */
const hearingOrders = (change: (order: string) => string): Required<Defect>['redis'] => changing({
  hear: (answer) => isAnswer(answer, 'ok') && answer.length > ORDER
    ? answer.with(ORDER, change(String(answer[ORDER])))
    : answer
})

export const OF_ORDERS: Record<string, BrokenNode> = {
  'is deaf to orders': {
    breaks: {
      'order-shows': /its record does not say that it drains/,
      'order-empties': /somebody inside stays connected/
    },
    redis: hearingOrders(() => '')
  },
  'takes a drain for a cordon': {
    breaks: { 'order-empties': /somebody inside stays connected/ },
    redis: hearingOrders((order) => order.replace('"drain"', '"cordon"').replace(/,"deadline":.*/, '}'))
  },
  'closes its rooms as soon as it hears of a drain': {
    breaks: { 'order-keeps': /^somebody inside/ },
    redis: hearingOrders((order) => order.replace(/"deadline":\d+/, '"deadline":0'))
  },
  'drains for ever': (() => {
    let last = ''
    return {
      breaks: { 'order-shows': /its record says that it drains, though the order was taken back/ },
      redis: hearingOrders((order) => {
        last = order === '' ? last : order
        return last
      })
    }
  })()
}
