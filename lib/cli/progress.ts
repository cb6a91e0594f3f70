/** Shows how many rooms are left: a bar that is drawn over itself on a terminal, a line for each change elsewhere. */
export interface Progress {
  show (left: number): void
  end (message: string): void
}

const WIDTH = 30

type Output = Pick<NodeJS.WriteStream, 'write' | 'isTTY'>

export function createProgress (output: Output): Progress {
  let most = 0
  let last: number | undefined

  function draw (left: number): string {
    const done = most === 0 ? WIDTH : Math.round(WIDTH * (most - left) / most)
    return `\r[${'#'.repeat(done)}${'.'.repeat(WIDTH - done)}] ${left} of ${most} rooms left `
  }

  return {
    show (left) {
      if (left === last) return
      last = left
      most = Math.max(most, left)
      output.write(output.isTTY ? draw(left) : `${left} rooms left\n`)
    },
    end (message) {
      output.write(output.isTTY ? `\n${message}\n` : `${message}\n`)
    }
  }
}

/** Shows how long something is waited for: seconds that are drawn over themselves on a terminal, one line elsewhere. */
export interface Waiting {
  show (seconds: number): void
  end (): void
}

export function createWaiting (output: Output, text: string): Waiting {
  let last: number | undefined
  return {
    show (seconds) {
      const isShown = output.isTTY ? seconds === last : last !== undefined
      if (isShown) return
      last = seconds
      output.write(output.isTTY ? `\r${text}: ${seconds} s ` : `${text}\n`)
    },
    end () {
      if (output.isTTY && last !== undefined) output.write('\n')
    }
  }
}
