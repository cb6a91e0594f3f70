const WRAPPER = 'position: absolute; top: 0; left: 50%; float: none; clear: none; margin: 0; transform-origin: top left'

export interface Scale {
  /** Fits a frame to the container, now and until another one is fitted. */
  fit (frame: HTMLElement): void
  /** The frame may have another size. */
  update (): void
  end (): void
}

/** Shrinks the picture to the container, and centres it. */
export function createScale (container: HTMLElement): Scale {
  let fitted: HTMLElement | undefined
  const observer = new ResizeObserver(update)
  container.style.height = '100%'
  observer.observe(container)

  function update (): void {
    const wrapper = fitted?.parentElement
    const { clientWidth: width, clientHeight: height } = fitted ?? { clientWidth: 0, clientHeight: 0 }
    if (!wrapper || width === 0 || height === 0) return
    container.style.height = '100%'
    const { clientWidth: room, clientHeight } = container
    // A place without a height gets that of the picture.
    const ratio = Math.min(1, room / width, clientHeight === 0 ? 1 : clientHeight / height)
    if (clientHeight === 0) container.style.height = `${ratio * height}px`
    wrapper.style.transform = `scale(${ratio}) translateX(-50%)`
  }

  return {
    fit (frame) {
      fitted = frame
      if (frame.parentElement !== null) frame.parentElement.style.cssText = WRAPPER
      update()
    },
    update,
    end: () => observer.disconnect()
  }
}
