// Runs the built command for each message, whose content is its arguments, and sends back its outcome.
import { runCommand } from '../../dist/lib/cli/command.js'

process.on('message', async (args) => {
  const texts = { out: '', errors: '' }
  process.stdout.write = (text) => { texts.out += text }
  process.stderr.write = (text) => { texts.errors += text }
  const code = await runCommand(args)
  process.send({ code, ...texts })
})
