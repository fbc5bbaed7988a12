"""The page on what BatchNorm computes, forwards and backwards (Ioffe and Szegedy 2015)."""
