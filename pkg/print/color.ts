// The colours of iproute2 (lib/color.c): one pair of palettes, chosen by COLORFGBG; NO_COLOR wins over everything but `-c=always`.

export type Color = 'ifname' | 'mac' | 'inet' | 'inet6' | 'up' | 'down'
export type Palette = Readonly<Record<Color, string>>

export const LIGHT: Palette = { ifname: '\x1b[36m', mac: '\x1b[33m', inet: '\x1b[35m', inet6: '\x1b[34m', up: '\x1b[32m', down: '\x1b[31m' }
export const DARK: Palette = {
  ifname: '\x1b[1;36m', mac: '\x1b[1;33m', inet: '\x1b[1;35m', inet6: '\x1b[1;34m', up: '\x1b[1;32m', down: '\x1b[1;31m',
}

/** COLORFGBG='fg;bg': a background of 0 to 6 or 8 is dark. */
export function palette(env: Readonly<Record<string, string | undefined>>): Palette {
  const background = env['COLORFGBG']?.split(';').at(-1) ?? ''
  return /^[0-68]$/.test(background) ? DARK : LIGHT
}
