import t from 'tap'
import { checkServers } from '../../../../lib/cli/doctor/zookeeper/servers.js'
import { judgeSession } from '../../../../lib/cli/doctor/zookeeper/session.js'
import { startRawServer } from '../../../support/http-server.js'
import { expectFinding } from '../expect.js'
import type { Finding } from '../../../../lib/cli/doctor/finding.js'

for (const [name, answer, outcome, text] of [
  ['of a new version', 'Zookeeper version: 3.9.1-abc, built on\nMode: follower\n', 'ok', /^ZooKeeper 3\.9\.1 .*\(follower\)/],
  ['of an old version', 'Zookeeper version: 3.4.14-abc, built on\nMode: leader\n', 'fault', /^ZooKeeper 3\.4\.14/],
  ['that allows no words', 'srvr is not executed because it is not in the whitelist.\n', 'warning', /its version is unknown/],
  ['without a quorum', 'This ZooKeeper instance is not currently serving requests\n', 'fault', /has no quorum/]
] as Array<[string, string, Finding['outcome'], RegExp]>) {
  t.test(`doctor – a server of ZooKeeper ${name} – is ${outcome}`, async (t) => {
    const { url } = await startRawServer(t, (socket) => { socket.end(answer) })
    const findings = await checkServers([{ host: '127.0.0.1', port: Number(new URL(url).port) }])
    expectFinding(t, findings, ['store', outcome, text])
  })
}

t.test('doctor – a session of another length – is a warning', async (t) => {
  expectFinding(t, [judgeSession(6000)], ['session', 'ok', /as asked for/])
  expectFinding(t, [judgeSession(4000)], ['session', 'warning', /4000 ms are granted in place of 6000.*earlier/])
  expectFinding(t, [judgeSession(9000)], ['session', 'warning', /dead later/])
})
