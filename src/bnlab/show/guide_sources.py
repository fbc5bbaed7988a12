"""How the guide names the papers that it rests on; the keys are those of references.bib."""

from __future__ import annotations

SOURCES = {
    "abouzeid2026": ("Abouzeid 2026", "https://arxiv.org/abs/2604.01563"),
    "ba2016": ("Ba, Kiros and Hinton 2016", "https://arxiv.org/abs/1607.06450"),
    "bhatt2024": ("Bhatt and others 2024", "https://arxiv.org/abs/1902.05605"),
    "brock2021": ("Brock and others 2021", "https://arxiv.org/abs/2102.06171"),
    "chen2021bnn": ("Chen, Zhang and others 2021", "https://arxiv.org/abs/2104.08215"),
    "de2020": ("De and Smith 2020", "https://arxiv.org/abs/2002.10444"),
    "fei2020": ("Fei and others 2020", "https://arxiv.org/abs/2010.09278"),
    "gallici2025": ("Gallici and others 2025", "https://arxiv.org/abs/2407.04811"),
    "gulrajani2017": ("Gulrajani and others 2017", "https://arxiv.org/abs/1704.00028"),
    "gupta2021": ("Gupta and others 2021", "https://arxiv.org/abs/2108.05839"),
    "he2020": ("He and others 2020", "https://arxiv.org/abs/1911.05722"),
    "hoffer2017": ("Hoffer, Hubara and Soudry 2017", "https://arxiv.org/abs/1705.08741"),
    "jacob2018": ("Jacob and others 2018", "https://arxiv.org/abs/1712.05877"),
    "nado2021": ("Nado and others 2021", "https://arxiv.org/abs/2102.06356"),
    "peng2018": ("Peng and others 2018", "https://arxiv.org/abs/1711.07240"),
    "ulyanov2016": ("Ulyanov, Vedaldi and Lempitsky 2016", "https://arxiv.org/abs/1607.08022"),
    "wu2018": ("Wu and He 2018", "https://arxiv.org/abs/1803.08494"),
    "wu2021": ("Wu and Johnson 2021", "https://arxiv.org/abs/2105.07576"),
    "xiong2020": ("Xiong and others 2020", "https://arxiv.org/abs/2002.04745"),
    "zhang2019fixup": ("Zhang, Dauphin and Ma 2019", "https://arxiv.org/abs/1901.09321"),
    "zhang2019rms": ("Zhang and Sennrich 2019", "https://arxiv.org/abs/1910.07467"),
    "zhu2025": ("Zhu and others 2025", "https://arxiv.org/abs/2503.10622"),
}
