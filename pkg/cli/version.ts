// What -V prints: the release whose behaviour is emulated, and whose emulation it is. A test holds VERSION against package.json.

export const VERSION = '0.1.0'
export const IPROUTE2 = '6.1.0'
export const BPFTOOL = '7.1.0'
export const LIBBPF = '1.1'
