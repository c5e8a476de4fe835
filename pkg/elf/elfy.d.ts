// elfy 1.0.0 ships no types. Only what header-checked files need; its other fields are wrong and never read.
declare module 'elfy' {
  interface ElfySection {
    name: string
    data: Uint8Array
  }
  const elfy: { parse(file: Buffer): { body: { sections: ElfySection[] } } }
  export default elfy
}
