"""The kernels of compiled nets in the machine's own instructions, with the bits of WebAssembly."""
