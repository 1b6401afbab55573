"""Reasons for unfavourable decisions: which inputs kept a person below the cut, in which words, how well that holds, and what would have changed it.

In order: `factors` (what may be a reason), `backgrounds` (whom a person is compared with), `principal` (which few are stated), `wording` (in whose words),
`quality` (how well they hold), `counterfactuals` (what would have changed the decision), composed in `measure`; `rows` writes them for every row, `findings` says what stands out.
"""
